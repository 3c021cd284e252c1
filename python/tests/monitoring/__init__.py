"""Tests of traces, metrics and probes."""
