# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Fish completion of memctx. Commands and options, and what they mean, are read from memctx --help.

# The words before the one that is completed, without options and their arguments: the first is the command.
function __memctx_words
    set -l skip no
    for word in (commandline -opc)[2..]
        if test $skip = yes
            set skip no
        else if string match -qr '^(-c|-o|-l|-b|--(connect|runtime-dir|timeout|boot|ram|low|ram-format|xml|cmdline|export|format|state|sort|level|since|at|output|mount))$' -- $word
            set skip yes
        else if test "$word" = --
            break
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# The agent that the command line means
function __memctx_agent
    set -l words (commandline -opc)
    for i in (seq 2 (count $words))
        if contains -- $words[$i] -c --connect --runtime-dir; and test (count $words) -gt $i
            printf '%s\n' $words[$i] $words[(math $i + 1)]
        end
    end
end

function __memctx_domains
    timeout 0.5 memctx (__memctx_agent) list --json 2> /dev/null |
        string replace -a '{"name":"' \n'{"name":"' | string replace -rf '^\{"name":"([^"\\\\]*)","uuid.*' '$1'
end

function __memctx_commands
    memctx --help | string replace -rf '^  ([a-z]+) +([a-z].*)' '$1\t$2'
    printf 'help\tprint the help of a command\n'
end

# "  -c, --connect URI   ask ..." of the help of all commands, and of this one
function __memctx_options
    set -l words (__memctx_words)
    begin
        memctx --help
        test (count $words) = 0; or memctx $words[1] --help
    end 2> /dev/null | string replace -rf '^ {2,6}(?:-., )?(--[a-z-]+)(?: [A-Z]+)? +(.*)' '$1\t$2'
end

# The formats that the command takes: it names them when it is given another one.
function __memctx_formats
    set -l command (__memctx_words)[1]
    set -l words none --format none
    test "$command" = probe; and set words --ram none --export none
    memctx $command $words 2>| string replace -rf '.*there are: ' '' | string split ', '
end

# The tools that run knows: it names them when it is given another one.
function __memctx_readers
    memctx run none none 2>| string replace -rf '.*there are: ' '' | string split ', '
end

# What is behind "--", as if it were a line of its own
function __memctx_tool
    set -l line (commandline -opc)
    set -l rest
    for i in (seq (math (contains -i -- -- $line) + 1) (count $line))
        set -a rest (string escape -- $line[$i])
    end
    complete -C (string join ' ' -- $rest (commandline -ct))
end

# __memctx_after OPTION...: is the argument of one of these wanted?
function __memctx_after
    set -l words (commandline -opc)
    contains -- $words[-1] $argv
end

# __memctx_wants domain|reader|tool|command: what the next word is
function __memctx_wants
    set -l words (__memctx_words)
    set -l dashes no
    contains -- -- (commandline -opc); and set dashes yes
    __memctx_after -c -o -l -b --connect --runtime-dir --timeout --boot --ram --low --ram-format --xml --cmdline --export --format \
        --state --sort --level --since --at --output --mount; and return 1
    switch $argv[1]
        case command
            test (count $words) = 0; or test "$words" = help
        case domain
            set -l before 1
            test "$words[1]" = run; and set before 2
            test (count $words) = $before; and not contains -- $words[1] list probe metrics help; and test $dashes = no
        case reader
            test (count $words) = 1; and test "$words[1]" = run
        case tool
            test $dashes = yes; and contains -- $words[1] exec
    end
end

complete -c memctx -f
complete -c memctx -n '__memctx_wants command' -a '(__memctx_commands)'
complete -c memctx -n '__memctx_wants domain' -a '(__memctx_domains)' -d domain
complete -c memctx -n '__memctx_wants reader' -a '(__memctx_readers)'
complete -c memctx -n '__memctx_wants tool' -a '(__memctx_tool)'
complete -c memctx -n 'string match -q -- "-*" (commandline -ct); and not contains -- -- (commandline -opc)' \
    -a '(__memctx_options)'
complete -c memctx -n '__memctx_after --ram --xml --cmdline -o --output' -F
complete -c memctx -n '__memctx_after --runtime-dir --mount' -a '(__fish_complete_directories)'
complete -c memctx -n '__memctx_after -c --connect' -a 'qemu:///system qemu:///session'
complete -c memctx -n '__memctx_after --ram-format' -a 'raw elf lime windows kdump flat'
complete -c memctx -n '__memctx_after --state' -a 'ready silent stale unknown unsupported waiting'
complete -c memctx -n '__memctx_after --sort' -a 'id name state still'
complete -c memctx -n '__memctx_after --format --export' -a '(__memctx_formats)'
