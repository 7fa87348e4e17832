/* The shell of a job, in pieces that xl_job.c puts together. POSIX sh (dash), coreutils, xl. */
#pragma once

/* run, fence; alive(); report(): prints what xl_report_parse() reads. Needs $op. */
extern const char xl_shell_report[];
/* Starts $job detached, waits for its fence, reports, clears old fences away. */
extern const char xl_shell_launch[];
/* What has not begun never will. */
extern const char xl_shell_forbid[];
/* What has begun is asked to end. */
extern const char xl_shell_cancel[];
/* Beginning of a job: takes the fence; its tools: phase, look, spawn, over, finish ... */
extern const char xl_shell_job[];
/* do_create, do_shutdown, ...: one function per action, each ends by finish. */
extern const char xl_shell_actions[];
/* do_suspend, do_resume; goes behind those. */
extern const char xl_shell_suspend[];
