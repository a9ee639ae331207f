/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Prints the transition table of src/domain/domain.c as the Markdown that
 * stands in ARCHITECTURE.md; tests/test_docs.sh compares the two. What all
 * phases answer alike comes first; cells that stay and do nothing are left out.
 */
#include <stdbool.h>
#include <stdio.h>

#include "domain/domain.h"

static bool
is_idle(enum memctx_phase phase, enum memctx_event event)
{
    struct memctx_transition t = memctx_domain_transition(phase, event);
    return t.next == phase && t.actions == 0;
}

/* Every phase stays and does the same, which is not nothing. */
static bool
is_common(enum memctx_event event)
{
    unsigned actions = memctx_domain_transition(0, event).actions;
    for (enum memctx_phase phase = 0; phase < MEMCTX_PHASES; phase++) {
        struct memctx_transition t = memctx_domain_transition(phase, event);
        if (t.next != phase || t.actions != actions)
            return false;
    }
    return actions != 0;
}

static bool
is_same(enum memctx_phase phase, enum memctx_event a, enum memctx_event b)
{
    struct memctx_transition x = memctx_domain_transition(phase, a);
    struct memctx_transition y = memctx_domain_transition(phase, b);
    return x.next == y.next && x.actions == y.actions;
}

static void
print_actions(unsigned actions)
{
    const char *separator = " ";
    for (unsigned bit = 1; memctx_action_name(bit) != NULL; bit <<= 1) {
        if ((actions & bit) == 0)
            continue;
        printf("%s%s", separator, memctx_action_name(bit));
        separator = ", ";
    }
    puts(" |");
}

/* One row for all events that this phase answers as it does `first`. */
static void
print_row(enum memctx_phase phase, enum memctx_event first, bool head)
{
    struct memctx_transition t = memctx_domain_transition(phase, first);
    if (head)
        printf("| **%s** (%s) |", memctx_phase_name(phase),
               memctx_state_name(memctx_phase_state(phase)));
    else
        printf("| |");
    const char *separator = " ";
    for (enum memctx_event event = first; event < MEMCTX_EVENTS; event++) {
        if (!is_same(phase, first, event) || is_common(event))
            continue;
        printf("%s%s", separator, memctx_event_name(event));
        separator = ", ";
    }
    printf(" | %s |", t.next == phase ? "stay" : memctx_phase_name(t.next));
    print_actions(t.actions);
}

static bool
is_printed(enum memctx_phase phase, enum memctx_event event)
{
    for (enum memctx_event earlier = 0; earlier < event; earlier++) {
        if (is_same(phase, earlier, event) && !is_common(earlier))
            return true;
    }
    return is_idle(phase, event) || is_common(event);
}

static void
print_phase(enum memctx_phase phase)
{
    bool head = true;
    for (enum memctx_event event = 0; event < MEMCTX_EVENTS; event++) {
        if (is_printed(phase, event))
            continue;
        print_row(phase, event, head);
        head = false;
    }
}

int
main(void)
{
    puts("| phase (state) | on | go to | and |\n|---|---|---|---|");
    for (enum memctx_event event = 0; event < MEMCTX_EVENTS; event++) {
        if (!is_common(event))
            continue;
        printf("| any | %s | - |", memctx_event_name(event));
        print_actions(memctx_domain_transition(0, event).actions);
    }
    for (enum memctx_phase phase = 0; phase < MEMCTX_PHASES; phase++)
        print_phase(phase);
    return 0;
}
