//! The act itself: types, times and results.

use landlord_ebpf::abi::RecordKind;

use super::check;
use super::draft::Draft;

#[test]
fn what_all_have() {
    check(
        &Draft::call("unlink"),
        &[
            ("evt.type", "unlink"),
            ("syscall.type", "unlink"),
            ("evt.type.is.unlink", "1"),
            ("evt.type.is.open", "0"),
            ("evt.category", "file"),
            ("evt.dir", "<"),
            ("evt.source", "syscall"),
            ("evt.hostname", "node-1"),
            ("evt.num", "42"),
            ("util.cnt", "42"),
            ("evt.cpu", "3"),
            ("evt.count", "1"),
            ("evt.count.exit", "1"),
            ("evt.is_async", "false"),
            ("evt.asynctype", "-"),
            ("evt.is_wait", "false"),
            ("evt.io_dir", "-"),
            ("evt.is_io", "false"),
            ("evt.is_syslog", "false"),
            ("evt.unverified", "false"),
            ("evt.latency", "-"),
            ("evt.pluginname", "-"),
            ("fdlist.names", "-"),
            ("net.bytes_received", "-"),
        ],
    );
}

#[test]
fn times() {
    check(
        &Draft::call("unlink"),
        &[
            ("evt.rawtime", "507000000001"),
            ("evt.rawtime.s", "507"),
            ("evt.rawtime.ns", "1"),
            ("evt.time", "00:08:27.000000001"),
            ("evt.time.s", "00:08:27"),
            ("evt.outputtime", "00:08:27.000000001"),
            ("evt.time.iso8601", "1970-01-01T00:08:27.000000001+0000"),
            ("evt.datetime", "1970-01-01 00:08:27.000000001"),
            ("evt.datetime.s", "1970-01-01 00:08:27"),
            ("evt.reltime", "4000000001"),
            ("evt.reltime.s", "4"),
            ("evt.reltime.ns", "1"),
            ("evt.deltatime", "1500000001"),
            ("evt.deltatime.s", "1"),
            ("evt.deltatime.ns", "500000001"),
        ],
    );
}

#[test]
fn results() {
    #[track_caller]
    fn result(draft: &Draft, raw: &str, name: &str, failed: &str, errors: &str) {
        check(
            draft,
            &[
                ("evt.rawres", raw),
                ("evt.res", name),
                ("evt.failed", failed),
                ("evt.count.error", errors),
            ],
        );
    }
    let call = |result| Draft::call("unlink").result(result);
    result(&call(0), "0", "SUCCESS", "false", "0");
    result(&call(7), "7", "SUCCESS", "false", "0");
    result(&call(-13), "-13", "EACCES", "true", "1");
    result(&call(-512), "-512", "ERESTARTSYS", "true", "1");
    result(&call(-4000), "-4000", "-", "true", "1");
    // A pointer, not an error.
    result(&call(-4096), "-4096", "SUCCESS", "false", "0");
    result(&Draft::of(RecordKind::Exit, "procexit").result(256), "-", "-", "-", "-");
    let memory = Draft::call("mmap").result(-12);
    check(&memory, &[("evt.count.error.memory", "1"), ("evt.count.error.other", "-")]);
    let other = Draft::call("getpid").result(-1);
    check(&other, &[("evt.count.error.memory", "-"), ("evt.count.error.other", "1")]);
}

#[test]
fn other_events() {
    check(&Draft::of(RecordKind::Exit, "procexit"), &[("syscall.type", "-")]);
    check(&Draft::of(RecordKind::Fork, "clone"), &[("evt.category", "process")]);
    check(&Draft::call("poll"), &[("evt.is_wait", "true"), ("evt.category", "wait")]);
    check(&Draft::call("read"), &[("evt.category", "unknown")]);
}
