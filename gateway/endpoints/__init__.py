"""The doors: functions from Incoming to Reply that know no framework."""
