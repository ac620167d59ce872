"""Tests of the scripts in deploy/ and of the files they make; nothing here installs anything or uses the network."""
