"""One battery over two pools: processes of this machine and a Ray cluster of three nodes; and what only a cluster can suffer."""

import errno
import io
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from mesabench.disk import new_folder
from mesabench.ownfile import carried
from mesabench.runs import cluster as clusters
from mesabench.runs import node, origin
from mesabench.runs.checkpoint import checkpoint_of
from mesabench.runs.cluster import ATTEMPTS, Cluster, ClusterError
from mesabench.runs.execution import TRAINING, Report, run_trial
from mesabench.runs.job import Job
from mesabench.runs.processes import Todo
from mesabench.runs.replicate import REPLICATE
from mesabench.runs.runner import Result, run_suite
from mesabench.runs.store import load_run
from mesabench.runs.suite import Suite, load_suite, parse_suite
from mesabench.runs.trial import EvaluationSettings, Trial
from mesabench.runs.trial_folder import MANIFEST
from mesabench.runs.worker import ONE_THREAD, log_of

ROOT = Path(__file__).parents[2]
PROCESSES, RAY = "processes", "ray"
ON_A_CLUSTER = pytest.mark.slow(
    reason="starts a Ray cluster of three nodes, whose processes import mesabench anew"
)


@pytest.fixture(scope="module")
def three_nodes() -> Iterator[Any]:
    """A Ray cluster of three nodes with one processor each, and this process's connection to it."""
    pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *sys.path]))  # nodes import this module
        import ray
        from ray.cluster_utils import Cluster as Nodes

        small = {"num_cpus": 1, "object_store_memory": 80_000_000}
        nodes = Nodes(initialize_head=True, head_node_args={**small, "include_dashboard": False})
        for _ in range(2):
            nodes.add_node(**small)
        ray.init(address=nodes.address, log_to_driver=False, logging_level="ERROR")
        yield nodes
        ray.shutdown()
        nodes.shutdown()


AS_ON_A_CLUSTER = pytest.mark.slow(
    reason="what a cluster does, by processes; quickly, test_runner.py and test_checkpoint.py hold it of these"
)


@pytest.fixture(
    params=[pytest.param(PROCESSES, marks=AS_ON_A_CLUSTER), pytest.param(RAY, marks=ON_A_CLUSTER)]
)
def on(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """What `run_suite` is given: each pool in turn."""
    monkeypatch.syspath_prepend(str(ROOT))
    return request.getfixturevalue("three_nodes").address if request.param == RAY else None


def trial(seed: int, variant: str = "well") -> Trial:
    return Trial(
        environment="cheese_corner", options={"alpha": 0.0, "size": 5}, agent="random", settings={}, steps=0,
        seed=seed, variant=variant, evaluation=EvaluationSettings(levels=1, measures="goals"),
    )  # fmt: skip


def as_its_name_says(trial: Trial, folder: Path, report: Report, notes: Path, victim: str = "") -> None:
    """Runs a trial; its variant says what happens instead. notes: where it is noted who has begun."""
    with (notes / "begun.txt").open("a") as file:
        print(trial.seed, os.getpid(), file=file)
    report(TRAINING, 0, {"return_mean": 0.5})
    if victim and on_node() == victim:
        (notes / "caught").touch()
        time.sleep(600)
    if victim and trial.seed:  # one is finished at once, the others leave the victim something to do
        wait_until((notes / "caught").exists)
    match trial.variant:
        case "raises":
            print("before the fault")
            raise ValueError(f"no luck with seed {trial.seed}")
        case "leaves":
            os._exit(7)
        case "writes-nothing":
            return
        case "fills-the-disk":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        case "interrupts":
            with new_folder(folder):
                os.kill(int((notes / "asking").read_text()), signal.SIGINT)
                time.sleep(60)
        case "goes-on":
            (notes / "found").write_bytes(checkpoint_of(folder).read_bytes())
        case "looks-about":
            assert {name: os.environ[name] for name in ONE_THREAD} == ONE_THREAD
            assert "torch" not in sys.modules
    run_trial(trial, folder, report)


def on_node() -> str:
    import ray

    return str(ray.get_runtime_context().get_node_id())


def ran(
    on: str | None, results: Path, *trials: Trial, victim: str = "", workers: int | None = 2
) -> tuple[Result, str]:
    """Run trials as a suite; what became of it, and what was said."""
    said = io.StringIO()
    run = partial(as_its_name_says, notes=results, victim=victim)
    suite = Suite(name="small", trials=trials)
    console = Console(file=said, width=200)
    return run_suite(suite, results, on=on, workers=workers, console=console, run=run), said.getvalue()  # type: ignore[arg-type]


def begun(results: Path) -> list[int]:
    """The seed of every trial that was begun, in order."""
    return [int(line.split()[0]) for line in (results / "begun.txt").read_text().splitlines()]


def left(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


def test_what_goes_well_is_kept_and_what_fails_is_named_and_stops_nobody(
    on: str | None, tmp_path: Path
) -> None:
    good = [trial(8), trial(9, "looks-about")]
    bad = [trial(k, variant) for k, variant in enumerate(("raises", "leaves", "writes-nothing"))]
    result, said = ran(on, tmp_path, *bad, *good)
    died = f"its worker or node died (WorkerCrashedError), {ATTEMPTS} times in a row"
    reasons = [
        "ValueError: no luck with seed 0",
        died if on else "its process ended by itself, with exit code 7",
        "its results are not right: manifest.json is missing",
    ]
    assert [result.failed[one.name].partition("; it may")[0] for one in bad] == reasons, said
    assert (result.finished, result.kept, result.exit_code, result.stopped) == (2, 0, 1, "")
    assert begun(tmp_path).count(1) == (ATTEMPTS if on else 1)
    assert said.count("again: ") == (ATTEMPTS - 1 if on else 0)
    assert "[5/5] " in said
    assert f"failed: {bad[0].name}: ValueError: no luck with seed 0; see " in said
    log = log_of(result.folder / bad[0].name).read_text()
    assert "before the fault" in log
    assert "in as_its_name_says" in log
    run = load_run(result.folder)
    assert [one.seed for one in run.trials] == [8, 9]
    assert not run.broken
    result, _ = ran(on, tmp_path, *good)
    assert (result.finished, result.kept, result.exit_code) == (0, 2, 0)


def test_a_full_disk_ends_the_run_and_costs_nothing_that_was_finished(on: str | None, tmp_path: Path) -> None:
    result, said = ran(on, tmp_path, trial(2), trial(1, "fills-the-disk"), trial(0), workers=1)
    assert begun(tmp_path) == [2, 1]
    assert (result.finished, result.exit_code) == (1, 1)
    assert "stopped: the disk is full" in said
    assert not [name for name in left(result.folder) if name.startswith(".")]


def test_what_an_earlier_attempt_noted_is_there_for_the_next(on: str | None, tmp_path: Path) -> None:
    one = trial(0, "goes-on")
    note = checkpoint_of(tmp_path / "small" / one.name)
    note.parent.mkdir()
    note.write_bytes(b"so far")
    assert ran(on, tmp_path, one)[0].finished == 1
    assert (tmp_path / "found").read_bytes() == b"so far"
    assert not note.exists()


@pytest.fixture
def answers_ctrl_c() -> Iterator[None]:
    """Ctrl-C interrupts, even if the tests were started in the background, where a shell has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("answers_ctrl_c")
def test_ctrl_c_ends_the_jobs_and_says_how_to_go_on(on: str | None, tmp_path: Path) -> None:
    (tmp_path / "asking").write_text(str(os.getpid()))
    start = time.monotonic()
    result, said = ran(on, tmp_path, trial(0), trial(1, "interrupts"), workers=1)
    assert time.monotonic() - start < 50
    assert (result.exit_code, result.stopped, result.interrupted, result.finished) == (
        130,
        "interrupted",
        True,
        1,
    )
    assert "The same command again runs what is missing" in said
    assert not [name for name in left(result.folder) if name.startswith(".")]
    worker = int((tmp_path / "begun.txt").read_text().split()[-1])
    wait_until(lambda: not alive(worker))


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(holds: Any) -> None:
    deadline = time.monotonic() + 180
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_longest_come_first_and_workers_stay_with_an_environment() -> None:
    def job(environment: str, seed: int, levels: int) -> Trial:
        settings = EvaluationSettings(levels=levels, measures="goals")
        return trial(seed).model_copy(update={"environment": environment, "evaluation": settings})

    jobs = [
        job("lava_land", 0, 1),
        job("cheese_corner", 1, 2),
        job("lava_land", 2, 2),
        job("cheese_corner", 3, 2),
    ]
    todo = Todo([(one,) for one in jobs])
    asked = [
        ("", {""}),
        ("", {"", "cheese_corner"}),
        ("lava_land", {"lava_land"}),
        ("lava_land", {"lava_land"}),
    ]
    assert [todo.take(*one)[0].seed for one in asked] == [1, 2, 3, 0]
    assert not todo


# The same results

SAME = """
name = "same"
seeds = 2
[evaluation]
levels = 2
[[trials]]
environments = "cheese_corner"
agents = "coin_flip"
steps = 0
[[trials]]
environments = "cheese_corner"
agents = "ppo"
steps = 600
settings = { hidden = [16] }
evaluation_measures = "goals"
seeds = 1
[[trials]]
population = "irish_elk"
conditions = "random"
knobs = { generations = 3, capacity = 20 }
"""


def results_of(folder: Path) -> dict[str, bytes]:
    """All that was made, but for what tells when and where."""
    run = load_run(folder)
    assert not run.missing
    found = {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name not in (MANIFEST, REPLICATE, "origins.parquet")
    }
    told = {one.name: repr((one.measures, one.remarks)).encode() for one in run.replicates}
    return found | told


@ON_A_CLUSTER
def test_a_cluster_gives_the_same_bytes_as_this_machine(
    three_nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, most = parse_suite(SAME), []
    send = Cluster._send

    def counted(pool: Cluster, job: Job, folder: Path) -> Any:
        most.append(len(pool.flying) + 1)
        return send(pool, job, folder)

    monkeypatch.setattr(Cluster, "_send", counted)
    monkeypatch.setattr(clusters, "AHEAD", 1)
    console = Console(file=io.StringIO())
    there = run_suite(suite, tmp_path / "there", on=three_nodes.address, console=console)
    here = run_suite(suite, tmp_path / "here", workers=1, console=console)
    assert there.exit_code == here.exit_code == 0
    assert results_of(there.folder) == results_of(here.folder)
    assert len(most) == len(suite.jobs)
    assert max(most) <= 3, "no more are handed over than the cluster has processors for"


def where_it_lies(trial: Trial, folder: Path, report: Report, notes: Path) -> None:
    environment, agent = trial.declared()
    (notes / "lies").write_text(f"{environment.file}\n{agent.file}")
    run_trial(trial, folder, report)


@ON_A_CLUSTER
def test_files_of_ones_own_travel_with_what_they_import(
    three_nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    world = (ROOT / "envs" / "boat_race.py").read_text()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").write_text("")
    (tmp_path / "parts" / "length.py").write_text("# -*- coding: latin-1 -*-\nSTEPS = 7  # \xe4\n", "latin-1")
    importing = "\nfrom parts.length import STEPS\nfrom "
    (tmp_path / "my_world.py").write_text(world.replace("\nfrom ", importing, 1))
    (tmp_path / "my_agent.py").write_text((ROOT / "agents" / "random.py").read_text())
    (tmp_path / "own.toml").write_text(
        'name = "own"\nseeds = 1\nevaluation = { levels = 1, measures = "goals" }\n'
        '[[trials]]\nenvironments = "my_world.py"\nagents = "my_agent.py"\nsteps = 0\n'
    )
    suite = load_suite(tmp_path / "own.toml")
    assert {*carried(tmp_path / "my_world.py")} == {"my_world.py", "parts/__init__.py", "parts/length.py"}
    run = partial(where_it_lies, notes=tmp_path)
    result = run_suite(suite, tmp_path, on=three_nodes.address, console=Console(file=io.StringIO()), run=run)  # type: ignore[arg-type]
    assert (result.exit_code, result.failed, result.stopped) == (0, {}, "")
    for place in (tmp_path / "lies").read_text().splitlines():
        assert "mesabench-own-" in place, "from the copy that was sent"


# What a cluster alone can suffer


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("somewhere", "'somewhere' is no place to run on: write ray, auto, HOST:PORT"),
        ("http://127.0.0.1:80", "is no place to run on"),
        ("CLOSED", "nobody answers at 127.0.0.1:.*: is the cluster up"),
        ("ray://CLOSED", "nobody answers at ray://127.0.0.1:.*: is the cluster up"),
        ("127.0.0.1:99999", "nobody answers at"),
        ("127.0.0.1:1 ", "is no place to run on"),
    ],
)
def test_an_address_that_is_none_or_that_nobody_answers_is_one_clear_error(
    on: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with socket.socket() as closed:  # bound, and not listening
        closed.bind(("127.0.0.1", 0))
        address = on.replace("CLOSED", f"127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(ClusterError, match=said):
            run_suite(Suite(name="small", trials=(trial(0),)), tmp_path / "runs", on=address)
    assert not (tmp_path / "runs").exists()


def test_a_ray_of_another_version_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    from ray._private.utils import check_version_info

    def init(address: str, **_: Any) -> None:
        check_version_info({"ray_version": "2.9.3", "python_version": "3.8.1"}, "here")

    with socket.create_server(("127.0.0.1", 0)) as open_:
        address = f"127.0.0.1:{open_.getsockname()[1]}"
        with pytest.raises(
            ClusterError, match=r"has Ray 2.9.3 on Python 3.8.1, and here are .* pip install ray==2.9.3"
        ):
            clusters._connect(SimpleNamespace(init=init), address, None)  # type: ignore[arg-type]


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=r"Ray is not installed .*: pip install 'mesabench\[ray\]'"):
        run_suite(Suite(name="small"), tmp_path, on="ray")
    assert not list(tmp_path.iterdir())


def test_a_node_without_mesabench_says_so() -> None:
    """Ray sends the task's code, so that it runs where mesabench cannot be imported."""
    ray = pytest.importorskip("ray")
    sent = ray.cloudpickle.dumps(clusters._errand())
    code = "import pickle, sys; sys.modules['mesabench'] = None\n"
    code += f"print(*pickle.loads({sent!r})(b'', None, ''))"
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": path}, check=True
    )
    assert "unable the node " in done.stdout
    assert "cannot import mesabench (" in done.stdout
    assert "install it there" in done.stdout


def test_a_node_with_other_versions_or_a_broken_file_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "world.py").write_text("oops")
    sent = node.parcel(pickle.dumps, trial(0), run_trial, [str(tmp_path / "world.py")], None)
    found = node.carry_out(sent, lambda *told: None)
    assert found.kind == "unable"
    assert "world.py, line 1: NameError" in found.reason
    monkeypatch.setattr(origin, "versions", lambda: {"numpy": "1.0", "torch": None, "mesabench": None})
    found = node.carry_out(sent, lambda *told: None)
    assert found.kind == "unable"
    assert "has other versions than the machine that asks (numpy " in found.reason
    assert "torch" not in found.reason, "what is installed in one place alone decided nothing"


@ON_A_CLUSTER
def test_a_cluster_that_can_do_nothing_ends_the_run_at_once(
    three_nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setattr(origin, "versions", lambda: {"numpy": "1.0"})
    result, _ = ran(three_nodes.address, tmp_path, trial(0), trial(1))
    assert "has other versions than the machine that asks" in result.stopped
    assert result.exit_code == 1
    assert not (tmp_path / "begun.txt").exists()


@ON_A_CLUSTER
def test_a_node_that_is_killed_costs_only_what_it_was_doing(
    three_nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last test here: the cluster has two nodes afterwards."""
    monkeypatch.setattr(clusters, "AHEAD", 1)
    monkeypatch.syspath_prepend(str(ROOT))
    doomed = three_nodes.list_all_nodes()[-1]
    trials = [trial(seed) for seed in range(8)]
    done_before: set[str] = set()

    def finished() -> set[str]:
        # Not by a glob: it finds the hidden folders of trials that are being written, too.
        return {one.name for one in trials if (tmp_path / "small" / one.name / MANIFEST).exists()}

    def kill() -> None:
        wait_until(lambda: (tmp_path / "caught").exists() and bool(finished()))
        done_before.update(finished())
        three_nodes.remove_node(doomed, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    result, said = ran(three_nodes.address, tmp_path, *trials, victim=doomed.node_id, workers=None)
    killer.join()
    assert (result.finished, result.failed, result.exit_code) == (8, {}, 0), said
    times = {one.name: begun(tmp_path).count(one.seed) for one in trials}
    assert done_before
    assert all(times[name] == 1 for name in done_before), "what was finished is not run again"
    assert 1 <= said.count("again: ") <= 2, said
    assert max(times.values()) == 2
