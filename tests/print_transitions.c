/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Prints a table of transitions as the Markdown that stands beside it:
 *   print_transitions domain     src/domain/transitions.md
 *   print_transitions life       agent/tries/transitions.md
 * tests/test_docs.sh compares the two. What all phases answer alike comes
 * first; cells that stay and do nothing are left out. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "domain/domain.h"
#include "tries/life.h"

struct cell {
    unsigned next;
    unsigned actions;
};

/* One of the tables. */
struct table {
    const char *name;
    unsigned phases;
    unsigned events;
    struct cell (*cell)(unsigned phase, unsigned event);
    const char *(*phase)(unsigned phase);
    const char *(*event)(unsigned event);
    const char *(*action)(unsigned bit);
    const char *(*state)(unsigned phase); /* NULL: there are none */
};

static struct cell
domain_cell(unsigned phase, unsigned event)
{
    struct memctx_transition t = memctx_domain_transition(phase, event);
    return (struct cell){t.next, t.actions};
}

static const char *
domain_phase(unsigned phase)
{
    return memctx_phase_name(phase);
}

static const char *
domain_event(unsigned event)
{
    return memctx_event_name(event);
}

static const char *
domain_state(unsigned phase)
{
    return memctx_state_name(memctx_phase_state(phase));
}

static struct cell
life_cell(unsigned phase, unsigned event)
{
    struct life_transition t = life_transition(phase, event);
    return (struct cell){t.next, t.actions};
}

static const char *
life_phase(unsigned phase)
{
    return life_phase_name(phase);
}

static const char *
life_event(unsigned event)
{
    return life_event_name(event);
}

static const struct table tables[] = {
    {"domain", MEMCTX_PHASES, MEMCTX_EVENTS, domain_cell, domain_phase,
     domain_event, memctx_action_name, domain_state},
    {"life", LIFE_PHASES, LIFE_EVENTS, life_cell, life_phase, life_event,
     life_action_name, NULL},
};

static bool
is_idle(const struct table *t, unsigned phase, unsigned event)
{
    struct cell cell = t->cell(phase, event);
    return cell.next == phase && cell.actions == 0;
}

/* Every phase stays and does the same, which is not nothing. */
static bool
is_common(const struct table *t, unsigned event)
{
    unsigned actions = t->cell(0, event).actions;
    for (unsigned phase = 0; phase < t->phases; phase++) {
        struct cell cell = t->cell(phase, event);
        if (cell.next != phase || cell.actions != actions)
            return false;
    }
    return actions != 0;
}

static bool
is_same(const struct table *t, unsigned phase, unsigned a, unsigned b)
{
    struct cell x = t->cell(phase, a);
    struct cell y = t->cell(phase, b);
    return x.next == y.next && x.actions == y.actions;
}

static void
print_actions(const struct table *t, unsigned actions)
{
    const char *separator = " ";
    for (unsigned bit = 1; t->action(bit) != NULL; bit <<= 1) {
        if ((actions & bit) == 0)
            continue;
        printf("%s%s", separator, t->action(bit));
        separator = ", ";
    }
    puts(" |");
}

static void
print_phase_name(const struct table *t, unsigned phase)
{
    printf("| **%s**", t->phase(phase));
    if (t->state != NULL)
        printf(" (%s)", t->state(phase));
    printf(" |");
}

/* One row for all events that this phase answers as it does `first`. */
static void
print_row(const struct table *t, unsigned phase, unsigned first, bool head)
{
    struct cell cell = t->cell(phase, first);
    const char *separator = " ";
    if (head)
        print_phase_name(t, phase);
    else
        printf("| |");
    for (unsigned event = first; event < t->events; event++) {
        if (!is_same(t, phase, first, event) || is_common(t, event))
            continue;
        printf("%s%s", separator, t->event(event));
        separator = ", ";
    }
    printf(" | %s |", cell.next == phase ? "stay" : t->phase(cell.next));
    print_actions(t, cell.actions);
}

static bool
is_printed(const struct table *t, unsigned phase, unsigned event)
{
    for (unsigned earlier = 0; earlier < event; earlier++) {
        if (is_same(t, phase, earlier, event) && !is_common(t, earlier))
            return true;
    }
    return is_idle(t, phase, event) || is_common(t, event);
}

static void
print_phase(const struct table *t, unsigned phase)
{
    bool head = true;
    for (unsigned event = 0; event < t->events; event++) {
        if (is_printed(t, phase, event))
            continue;
        print_row(t, phase, event, head);
        head = false;
    }
}

static void
print_table(const struct table *t)
{
    printf("| phase%s | on | go to | and |\n|---|---|---|---|\n",
           t->state != NULL ? " (state)" : "");
    for (unsigned event = 0; event < t->events; event++) {
        if (!is_common(t, event))
            continue;
        printf("| any | %s | stay |", t->event(event));
        print_actions(t, t->cell(0, event).actions);
    }
    for (unsigned phase = 0; phase < t->phases; phase++)
        print_phase(t, phase);
}

int
main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof(tables) / sizeof(tables[0]);
         i++) {
        if (strcmp(argv[1], tables[i].name) != 0)
            continue;
        print_table(&tables[i]);
        return 0;
    }
    fputs("usage: print_transitions domain|life\n", stderr);
    return 2;
}
