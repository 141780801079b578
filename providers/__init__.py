"""The providers that ship with lab: providers/<where>/<kind>.py."""
