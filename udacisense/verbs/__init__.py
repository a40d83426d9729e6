"""The verbs of the product as functions: what the command line and the background jobs do, importable.

Ids or paths are accepted for checkpoints and artifacts. Verbs that compute hold one machine-wide lock, so that two of them
never share the processor: no timing is taken beside other work.
"""

from udacisense.verbs.look import DataInfo, Environment, ModelsInfo, data_info, env, models_info

__all__ = ["DataInfo", "Environment", "ModelsInfo", "data_info", "env", "models_info"]
