"""Certificates, allowances and credits as ranges of serial numbers: who holds which, what became of them, and that no Wh is claimed twice."""
