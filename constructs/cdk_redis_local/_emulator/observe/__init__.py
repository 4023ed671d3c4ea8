"""What can be observed of the stores: events, notifications, metrics, alarms and logs."""
