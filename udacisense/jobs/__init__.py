"""Long work in child processes of its own: progress, log, cancel and result, for pages and command line alike.

Each job is a folder under `settings().jobs_dir`, so it outlives the page, the visitor and the app that started it:

    job.json         what was asked for, written once when the job is submitted
    watcher.json     which process watches over it
    child.json       which process does the work, and since when
    progress.jsonl   a line {"fraction", "stage"} for every step that the work tells
    log.txt          what the work wrote to stderr
    stdout.txt       its one JSON document
    cancel           a person asked for it to stop
    end.json         how it ended; without it the job is active, or its watcher was killed
"""

from udacisense.jobs.control import cancel, get, jobs, submit, unreadable, wait
from udacisense.jobs.job import Job, JobState

__all__ = ["Job", "JobState", "cancel", "get", "jobs", "submit", "unreadable", "wait"]
