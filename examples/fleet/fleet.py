#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Prints what the memctxd of each host has published about its domains, gathered by libvirt's own remote protocol:
#
#   examples/fleet/fleet.py [--json] [--jobs N] [--timeout S] URI...
#
# A host's rows are printed as soon as they are there, in whichever order that is. Exits with 0, or with 1 if a host did
# not answer. examples/fleet/README.md says what runs where.
import argparse
import json
import os
import queue
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

import libvirt

NAMESPACE = "urn:memctx:1"
ROW = "{:<24} {:<20} {:<8} {:<4} {:<34} {:<14} {}"


def name_of(element):
    return element.tag.rpartition("}")[2]


def as_json(element):
    """An element as memctx has it in JSON: attributes and elements are keys, extents an array."""
    value = dict(element.attrib)
    for child in element:
        if name_of(child) == "extent":
            value.setdefault("extents", []).append(as_json(child))
        else:
            value[name_of(child)] = as_json(child) if len(child) or child.attrib else child.text
    if value.get("generation", "").isdecimal():
        value["generation"] = int(value["generation"])
    return value


def datum_of(domain):
    """The datum, or None: the domain has none. Who may write the domain's metadata may have put anything there."""
    try:
        text = domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, NAMESPACE, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        return as_json(ElementTree.fromstring(text))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_METADATA:
            return None
        raise
    except ElementTree.ParseError:
        return None


def domains_of(uri):
    """All running domains of a host. It only reads, so a connection that may only read will do."""
    domains = []
    connection = libvirt.openReadOnly(uri)
    for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        try:
            domains.append({"name": domain.name(), "uuid": domain.UUIDString(), "datum": datum_of(domain)})
        except libvirt.libvirtError as error:
            if error.get_error_code() not in (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID):
                raise  # not one that has stopped meanwhile
    return domains


def ask(uri, answers):
    try:
        answers.put({"uri": uri, "domains": domains_of(uri)})
    except libvirt.libvirtError as error:
        answers.put({"uri": uri, "error": str(error)})


def gather(uris, jobs, timeout):
    """Yields an answer for each host. At most `jobs` are waited for at a time, each for at most `timeout` seconds.

    Nothing interrupts a call to a host that hangs. Its thread is left alone then, and its place goes to the next host.
    """
    answers, deadlines, waiting = queue.Queue(), {}, list(dict.fromkeys(uris))
    while waiting or deadlines:
        while waiting and len(deadlines) < jobs:
            uri = waiting.pop(0)
            deadlines[uri] = time.monotonic() + timeout
            threading.Thread(target=ask, args=(uri, answers), daemon=True).start()
        try:
            answer = answers.get(timeout=max(0, min(deadlines.values()) - time.monotonic()))
            if deadlines.pop(answer["uri"], None) is not None:
                yield answer
        except queue.Empty:
            uri = min(deadlines, key=deadlines.get)
            del deadlines[uri]
            yield {"uri": uri, "error": f"no answer within {timeout:g} s"}


def plain(text):
    """Others chose names and versions: nothing in them is to move the cursor."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def print_table(answer):
    if "error" in answer:
        print(plain(f"{answer['uri']:<24} error: {answer['error']}"), flush=True)
    for domain in answer.get("domains", []):
        datum = domain["datum"] or {}
        guest = datum.get("guest") or {}
        live = datum.get("live", "yes") if datum else "-"
        system = f"{guest.get('os', '-')} {guest.get('version', '')}"
        cells = (answer["uri"], domain["name"], live, datum.get("generation", "-"), system, datum.get("paging", "-"),
                 datum.get("kcr3", "-"))
        print(ROW.format(*map(plain, cells)), flush=True)


def print_json(answer):
    print(json.dumps(answer), flush=True)


def main():
    parser = argparse.ArgumentParser(description="Gather what memctxd has published on many hosts.")
    parser.add_argument("uris", metavar="URI", nargs="+", help="such as qemu+tls://HOST/system")
    parser.add_argument("--json", action="store_true", help="print an object a line for each host")
    parser.add_argument("--jobs", type=int, default=16, metavar="N", help="wait for N hosts at a time (default: 16)")
    parser.add_argument("--timeout", type=float, default=5, metavar="S", help="give a host S seconds (default: 5)")
    options = parser.parse_args()
    if options.jobs < 1 or options.timeout <= 0:
        parser.error("--jobs and --timeout want more than 0")
    libvirt.registerErrorHandler(lambda context, error: None, None)  # it would print each error, too
    if not options.json:
        print(ROW.format("HOST", "DOMAIN", "RUNS", "GEN", "GUEST", "PAGING", "KCR3"), flush=True)
    failed = False
    for answer in gather(options.uris, options.jobs, options.timeout):
        failed = failed or "error" in answer
        (print_json if options.json else print_table)(answer)
    sys.stdout.flush()
    os._exit(1 if failed else 0)  # and not wait for threads that hang


if __name__ == "__main__":
    main()
