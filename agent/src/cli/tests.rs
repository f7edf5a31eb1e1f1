//! The command line as a whole.

use clap::{CommandFactory as _, Parser as _};

use super::Cli;

#[test]
fn the_tree_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn help() {
    let help = Cli::command().term_width(80).render_long_help().to_string();
    insta::assert_snapshot!(help, @"
    Meter every tenant of a machine from the kernel

    Landlord is one agent per machine. It tells how much CPU, memory, network,
    system calls and disk each tenant (the owner of a cgroup: a pod, a container, a
    systemd slice) uses, how long it waits for a CPU, and for whom.

    Usage: landlord [OPTIONS] <COMMAND>

    Commands:
      run         Run the agent in the foreground
      top         Show what each tenant uses
      syscalls    Show which system calls a tenant makes most
      tenants     List the tenants
      pods        List the pods of this node
      doctor      Tell what this machine allows, and what to do about the rest
      events      Show what the rules find
      rules       Check, list and try out rules
      record      Record what happens, for `landlord replay`
      replay      Hold rules against a recording
      detach      Remove the sensors and counters that a stopped agent left in the
                  kernel
      config      Print or check the configuration
      completion  Print a script that completes the command line
      version     Print the version

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Global options:
          --log-level <LEVEL>
              Least severe messages that are logged: error, warn, info, debug or
              trace

          --log-format <FORMAT>
              Form of the log on standard error: text or json

          --color <WHEN>
              Use colours: auto, always or never; NO_COLOR switches auto off
              
              [default: auto]

    Examples:
      sudo landlord doctor              see what this machine allows
      sudo landlord top                 watch what each tenant uses
      sudo landlord run                 start the agent
      curl 127.0.0.1:9464/metrics       what it serves to Prometheus
      landlord top --once -o json       the same figures for a script
      landlord syscalls --tenant user   which system calls a tenant makes
      landlord tenants                  who is a tenant, and of what
      landlord events -f                what the rules find, as it happens
      landlord rules validate FILE      what is wrong with a rule file

    Where to look next:
      landlord COMMAND --help           what a command does
      landlord config print             the configuration in force

    Exit codes:
      0 all went well, 1 an error at run time, 2 a wrong command line
    ");
}

#[test]
fn usage_errors() {
    let check = |arguments: &str, expected: &str| {
        let error = Cli::try_parse_from(arguments.split(' ')).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{arguments}");
        let text = error.to_string();
        assert!(text.contains(expected), "{arguments}: {text}");
    };
    check("landlord rum", "similar subcommand exists: 'run'");
    check("landlord top -o json", "--once");
    check("landlord top --interval 1", "from 100ms to 60s");
    check("landlord top --interval 1h", "from 100ms to 60s");
    check("landlord top --sort size", "[possible values: tenant, cpu");
    check("landlord top --once --limit 0", "--limit");
    check("landlord run --no-pin --pin-path /x", "cannot be used with");
    check("landlord top --log-level loud", "--log-level");
    check("landlord syscalls", "--tenant");
    check("landlord completion tcsh", "bash");
}

#[test]
fn the_last_of_a_repeated_flag_wins() {
    // Wrappers append flags to those they were given.
    let line = "landlord top --interval 5s --once --interval 2s";
    Cli::try_parse_from(line.split(' ')).unwrap();
}
