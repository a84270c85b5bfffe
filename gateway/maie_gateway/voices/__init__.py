"""The voices of people whom tenants want to find again: profiles, and who speaks in a job."""
