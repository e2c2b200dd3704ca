"""Guest schedulers, one a file. A guest scheduler is an *urgency*: a number given to a task when it is queued; the least runs."""
