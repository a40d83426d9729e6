"""UdaciSense: a checkpoint goes in, evidence comes out.

Convert a compressed image classifier for phones, prove that the file is the same model, measure it, and judge it.
The verbs of the command line are functions of `udacisense.verbs`; importing this package imports no heavy library.
"""

__version__ = "0.1.0"
