"""Tests of the end points."""
