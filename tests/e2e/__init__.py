"""A package, so that its stacks are stopped once a process of tests goes on to others."""
