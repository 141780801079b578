"""A whole lab in memory: Labfile text in, plans and runs out, with every port a fake."""
