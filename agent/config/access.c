/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Parses rules and asks them. */
#include "config/access.h"

#include <errno.h>
#include <fnmatch.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"

#define NAMES_BYTES_MAX (1024 * 1024) /* of one entry of the user database */

static const char *const right_names[] = {
    [ACCESS_LIST] = "list",   [ACCESS_SHOW] = "show",
    [ACCESS_WAIT] = "wait",   [ACCESS_OPEN] = "open",
    [ACCESS_READ] = "read",   [ACCESS_ATTACH] = "attach",
    [ACCESS_WRITE] = "write",
};
_Static_assert(MEMCTX_ARRAY_LEN(right_names) == ACCESS_RIGHTS,
               "every right has a name");

#define BIT(right) (1u << (right))

/* What reads, and hands nothing in. */
#define ALL                                                   \
    (BIT(ACCESS_LIST) | BIT(ACCESS_SHOW) | BIT(ACCESS_WAIT) | \
     BIT(ACCESS_OPEN) | BIT(ACCESS_READ))

const char *
access_right_name(enum access_right right)
{
    return right_names[right];
}

/* A number as it is, whether the database knows it or not. */
static bool
parse_id(const char *text, uint32_t *ret)
{
    uint64_t id;
    if (!memctx_number_parse_decimal(text, UINT32_MAX - 1, &id))
        return false;
    *ret = (uint32_t)id;
    return true;
}

/* One look into the user database with a buffer of this size: 0 and *ret,
 * ENOENT, or another errno value. */
static int
look_up(bool is_group, const char *name, char *buf, size_t size, uint32_t *ret)
{
    struct passwd user;
    struct passwd *found_user = NULL;
    struct group group;
    struct group *found_group = NULL;
    int failed = is_group ? getgrnam_r(name, &group, buf, size, &found_group)
                          : getpwnam_r(name, &user, buf, size, &found_user);
    if (failed != 0)
        return failed;
    if (found_user == NULL && found_group == NULL)
        return ENOENT;
    *ret = is_group ? group.gr_gid : user.pw_uid;
    return 0;
}

static int
resolve(bool is_group, const char *name, uint32_t *ret,
        struct memctx_error *err)
{
    int failed = ERANGE;
    if (parse_id(name, ret))
        return 0;
    for (size_t size = 1024; failed == ERANGE && size <= NAMES_BYTES_MAX;
         size *= 2) {
        MEMCTX_CLEANUP(memctx_cleanup_free) char *buf = malloc(size);
        if (buf == NULL)
            return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
        failed = look_up(is_group, name, buf, size, ret);
    }
    if (failed == 0)
        return 0;
    return memctx_error_set(err, MEMCTX_PERMANENT, "no %s '%s' is known: %s",
                            is_group ? "group" : "user", name,
                            failed == ENOENT ? "not in the database"
                                             : strerror(failed));
}

static int
parse_who(char *text, struct access_rule *rule, struct memctx_error *err)
{
    char *name = strchr(text, ':');
    if (name != NULL)
        *name++ = '\0';
    rule->is_group = strcmp(text, "group") == 0;
    if (name == NULL || *name == '\0' ||
        (!rule->is_group && strcmp(text, "user") != 0))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "a rule begins with user:NAME or group:NAME, "
                                "found '%s'",
                                text);
    return resolve(rule->is_group, name, &rule->id, err);
}

static int
parse_right(const char *name, unsigned *rights, struct memctx_error *err)
{
    for (unsigned i = 0; i < ACCESS_RIGHTS; i++) {
        if (strcmp(name, right_names[i]) == 0) {
            *rights |= BIT(i);
            return 0;
        }
    }
    if (strcmp(name, "all") != 0)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "'%s' is no operation; expected list, show, "
                                "wait, open, read, attach, write or all",
                                name);
    *rights |= ALL;
    return 0;
}

static int
parse_rights(char *text, struct access_rule *rule, struct memctx_error *err)
{
    char *name;
    rule->rights = 0;
    while ((name = strsep(&text, ",")) != NULL) {
        if (parse_right(name, &rule->rights, err) < 0)
            return -1;
    }
    return 0;
}

/* Who may write to a guest is said of one guest, by its name. */
static int
parse_domains(const char *text, struct access_rule *rule,
              struct memctx_error *err)
{
    if (*text == '\0' || strlen(text) >= sizeof(rule->domains))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "a rule ends with the domains, as a name or a "
                                "pattern of up to %d bytes",
                                ACCESS_DOMAINS_MAX - 1);
    if ((rule->rights & BIT(ACCESS_WRITE)) != 0 &&
        strpbrk(text, "*?[\\") != NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "write is granted for one domain by its name, "
                                "not for '%s'",
                                text);
    strcpy(rule->domains, text);
    return 0;
}

/* Cut the next word off *rest, which then begins with what follows it. */
static char *
next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    char *end = word + strcspn(word, " \t");
    *rest = end + strspn(end, " \t");
    *end = '\0';
    return word;
}

int
access_add(struct access *access, const char *text, struct memctx_error *err)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *copy = strdup(text);
    struct access_rule rule = {.id = 0};
    if (copy == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    if (access->n_rules == ACCESS_RULES_MAX)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "more than %d rules of access",
                                ACCESS_RULES_MAX);
    char *rest = copy;
    char *who = next_word(&rest);
    char *rights = next_word(&rest);
    if (parse_who(who, &rule, err) < 0 ||
        parse_rights(rights, &rule, err) < 0 ||
        parse_domains(rest, &rule, err) < 0)
        return memctx_error_prefix(err, "access rule \"%s\"", text);
    access->rules[access->n_rules++] = rule;
    return 0;
}

static bool
is_granted(const struct access_rule *rule, const struct peer *peer,
           enum access_right right)
{
    if ((rule->rights & BIT(right)) == 0)
        return false;
    return rule->is_group ? peer_has_group(peer, rule->id)
                          : peer->uid == rule->id;
}

/* A name in a rule of write has no pattern, and is not taken for one. */
static bool
is_of(const struct access_rule *rule, enum access_right right, const char *name)
{
    if (right == ACCESS_WRITE)
        return strcmp(rule->domains, name) == 0;
    return fnmatch(rule->domains, name, 0) == 0;
}

bool
access_may(const struct access *access, const struct peer *peer,
           enum access_right right, const char *name)
{
    if (right != ACCESS_WRITE && peer_is_ours(peer))
        return true;
    for (unsigned i = 0; i < access->n_rules; i++) {
        if (is_granted(&access->rules[i], peer, right) &&
            is_of(&access->rules[i], right, name))
            return true;
    }
    return false;
}

bool
access_may_some(const struct access *access, const struct peer *peer,
                enum access_right right)
{
    if (right != ACCESS_WRITE && peer_is_ours(peer))
        return true;
    for (unsigned i = 0; i < access->n_rules; i++) {
        if (is_granted(&access->rules[i], peer, right))
            return true;
    }
    return false;
}
