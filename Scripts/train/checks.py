"""Runs the laws of a check over prepared data."""

import argparse
import unittest
from pathlib import Path


def check(laws, description):
    """Runs the test case `laws`, whose `data` is the folder from the command line."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("data", type=Path, help="what prepare.py wrote")
    laws.data = parser.parse_args().data
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(laws)
    raise SystemExit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
