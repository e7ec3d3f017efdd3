"""Simulation: owners, copies, publisher and commits on a broker in memory, in virtual time, seed after seed."""
