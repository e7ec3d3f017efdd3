"""Simulation: owners, copies, publisher and commits on a broker in memory and in virtual time, one seed after another."""
