"""What people and machines are told while a run goes on."""
