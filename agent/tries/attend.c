/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Tells the heartbeat what to listen to. */
#include "tries/attend.h"

void
attend_stop(struct adapter *a)
{
    if (a->attends == ATTENDS_NOTHING)
        return;
    a->attends = ATTENDS_NOTHING;
    a->has_heard = false;
    a->wrote = 0;
    heartbeat_stop(a->listener);
}

/* The clock words of a kernel that is to be listened to, or else, while one is
 * pending, what the CPUs use. */
void
attend(struct adapter *a)
{
    bool words = a->listens && a->words.n > 0;
    struct heartbeat_subject subject = {.vcpus = a->ram.vcpus,
                                        .synthetic = a->ram.synthetic};
    unsigned wanted = a->ram.map == NULL         ? ATTENDS_NOTHING
                      : words                    ? ATTENDS_WORDS
                      : a->pending_since_us != 0 ? ATTENDS_CPU
                                                 : ATTENDS_NOTHING;
    if (wanted == a->attends)
        return;
    if (wanted == ATTENDS_NOTHING) {
        attend_stop(a);
        return;
    }
    a->attends = wanted;
    a->has_heard = false;
    a->wrote = 0;
    if (wanted == ATTENDS_WORDS) {
        subject.map = a->known_layout == 0 ? a->ram.map : a->ram.other;
        subject.words = a->words;
    }
    heartbeat_listen(a->listener, &subject);
}
