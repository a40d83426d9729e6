"""Child processes: bound in what they can reach, ended with their parent, asked over pipes."""
