/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* How the programs exit; EXIT STATUS of memctx(1) and memctxd(8). */
#ifndef MEMCTXD_EXITCODE_H
#define MEMCTXD_EXITCODE_H

enum exit_code {
    EXIT_DONE = 0,
    EXIT_ERROR = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_THERE = 3, /* memctx: no datum, or no kernel in this RAM */
    EXIT_TIMEOUT = 4,   /* memctx: the time of --timeout is over */
    /* memctx: a program that it was to start, as a shell has it */
    EXIT_NOT_RUN = 126,
    EXIT_NOT_FOUND = 127,
    EXIT_SIGNALLED =
        128, /* memctx: a signal ended it, whose number is added, as in a shell
              */
};

#endif
