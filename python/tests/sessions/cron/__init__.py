"""What cron_next() is compared with."""
