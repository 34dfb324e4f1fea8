from pathlib import Path
class SweepOutput: pass
def is_sweep(p): return False
def read_sweep(p): raise NotImplementedError
