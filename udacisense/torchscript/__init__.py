"""TorchScript files: what they call is read without running it, and only a bound child process loads them."""
