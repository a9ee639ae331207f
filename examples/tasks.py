# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# The tasks of a Linux guest as drgn(1) finds them; needs the kernel's debugging information:
#
#   memctx core DOMAIN -o core && drgn -c core -s VMLINUX examples/tasks.py
#
# memctx ps needs none, and lists the same but threads.
from drgn.helpers.linux.pid import for_each_task

for task in for_each_task(prog):  # noqa: F821 drgn has it
    print(
        "%7d %7d %7d %s"
        % (
            task.pid,
            task.real_parent.tgid,
            task.real_cred.uid.val,
            task.comm.string_().decode(errors="backslashreplace"),
        )
    )
