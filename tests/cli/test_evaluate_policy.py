"""`graphwright evaluate PROBLEM --policy NAME` and `evaluate RUN` of what never ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from graphwright.cli.main import main
from graphwright.envs.registry import CONTROLLED, SOLVED
from graphwright.training.averages import run
from graphwright.training.statistics import batch_means
from graphwright.training.train import TrainConfig, resume, train
from queueing_networks import DIAMOND, FOUR_QUEUES, packets, queues, stations


def written(tmp_path: Path, document: dict[str, object], name: str = "net.json") -> str:
    path = tmp_path / name
    path.write_text(json.dumps(document))
    return str(path)


def refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    said = capsys.readouterr()
    assert not said.out
    return said.err.splitlines()[-1]


def test_the_json_is_the_contract_and_the_same_for_the_same_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = written(tmp_path, FOUR_QUEUES), written(tmp_path, queues([1, 1, 1], [6, 6, 6]), "other.json")
    words = ["evaluate", "single-hop", "--policy", "max-weight", "--slots", "60", "--seed", "3", "--json"]
    main([*words, "--instances", one, other])
    both = json.loads(capsys.readouterr().out)
    assert both["problem"] == "single-hop"
    assert both["policy"] == "max-weight"
    assert [set(row) for row in both["rows"]] == [
        {"instance", "backlog", "backlog_low", "backlog_high", "throughput", "slots"}
    ] * 2
    main([*words, "--instances", one])
    assert json.loads(capsys.readouterr().out)["rows"] == both["rows"][:1]
    row = both["rows"][0]
    assert row["backlog_low"] < row["backlog"] < row["backlog_high"]
    assert row["slots"] == 60


@pytest.mark.parametrize("name", [*CONTROLLED, "vertex-cover", "locomotion"])
def test_every_problem_has_a_policy_without_a_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    problem = (CONTROLLED if name in CONTROLLED else SOLVED)[name]
    policy = next(iter(problem.baselines or problem.heuristics))
    sizes = ["--sizes", str(problem.sizes[0])]
    horizon = ["--environment.horizon", "8"] if name == "locomotion" else []
    slots = ["--slots", "5"] if name in CONTROLLED else []
    main(["evaluate", name, "--policy", policy, *slots, "--graphs", "2", *sizes, *horizon, "--json"])
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows) == 1


def test_published_files_are_read_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for policy in ("spbp", "shortest-path", "back-pressure"):
        words = [
            "evaluate",
            "multi-hop",
            "--policy",
            policy,
            "--instances",
            written(tmp_path, DIAMOND),
            "--slots",
            "40",
        ]
        main([*words, "--json"])
        assert json.loads(capsys.readouterr().out)["rows"][0]["throughput"] > 0.5


NETWORKS = {
    "negative": (queues([-1, 1], [2, 2]), "single-hop", "max-weight", "node column 'arrival' is -1 at node '0'"),
    "infinite": (queues([1, 1], [2, 1e999]), "single-hop", "max-weight", "'service' is inf at node '1'"),
    "law": (queues([1, 1], [2, 2], "normal"), "single-hop", "max-weight", "'normal' is none of poisson"),
    "bernoulli": (queues([1, 2], [2, 2], "bernoulli"), "conflict-graph", "max-weight", "a chance, at most 1"),
    "stream": (queues([0, 0], [2, 2]), "multipath", "expected-wait", "no attribute 'arrival'"),
    "no path": (
        DIAMOND | {"class_info": {"0": {"3": 1.0}}},
        "multi-hop",
        "spbp",
        "packets arrive at node '3' for node '0'",
    ),
    "no node": (DIAMOND | {"class_info": {"9": {"3": 1.0}}}, "multi-hop", "spbp", "'9' is no node"),
    "rate": (
        DIAMOND | {"link_info": [{"start": 0, "end": 3, "rate": -2.0}]},
        "multi-hop",
        "spbp",
        "'rate' is -2.0 from node '0' to node '3'",
    ),
    "part of a packet": (
        DIAMOND | {"link_info": [{"start": 0, "end": 3, "rate": 1.5}]},
        "multi-hop",
        "spbp",
        "'rate' is 1.5 from node '0' to node '3'; a rate is a whole number of packets",
    ),
    "more than a chance": (
        packets(3.0, "bernoulli"),
        "multi-hop",
        "spbp",
        "'arrivals' is 3.0 at node 'a' for node 'b'",
    ),
    "part of a fixed count": (packets(0.5, "fixed"), "multi-hop", "spbp", "a fixed count is a whole number"),
    "more than can be drawn": (packets(1000.0), "multi-hop", "spbp", "at most 500 a slot"),
    "chances of packets": (packets(1.0, "categorical"), "multi-hop-links", "spbp", "no categorical arrivals"),
    "law of servers": (
        stations([]) | {"graph": {"distribution": "bernoulli"}},
        "multiclass",
        "lbfs",
        "arrivals at servers are poisson",
    ),
    "many chances": (
        queues([[0.5] * 1000, [1.0]], [[0.0, 1.0]] * 2, "categorical"),  # type: ignore[list-item]
        "single-hop",
        "max-weight",
        "is [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, ...], 1,000 numbers, at node",
    ),
    "yes and no": (
        queues([[True, False]] * 2, [[0.0, 1.0]] * 2, "categorical"),  # type: ignore[list-item]
        "single-hop",
        "max-weight",
        "node column 'arrival': true and false are no numbers",
    ),
    "chances and a mean": (
        queues([0.3, [0.5, 0.5]], [[0.0, 1.0]] * 2, "categorical"),  # type: ignore[list-item]
        "single-hop",
        "max-weight",
        "the nodes have no 'arrival', or not all as numbers",
    ),
    "layers of the user's": (
        {"graph": {}, "nodes": [{"id": 0, "layer": 1}, {"id": 1, "layer": 2}], "links": []},
        "multi-hop",
        "spbp",
        "the nodes have no 'arrivals'",
    ),
    "stages of the user's": (
        {"graph": {}, "nodes": [{"id": 0, "stages": 1}, {"id": 1, "stages": 2}], "links": []},
        "multiclass",
        "lbfs",
        "which nodes are servers?",
    ),
    "servers": (queues([1], [2]), "multiclass", "lbfs", "which nodes are servers?"),
    "negative service": (
        stations([{"source": "s", "target": "b", "service": -2.0}]),
        "multiclass",
        "lbfs",
        "edge column 'service' is -2.0 from 's' to 'b'",
    ),
    "number of no law": (queues([1], [2], 1.5), "single-hop", "max-weight", "'distribution': give one of poisson"),  # type: ignore[arg-type]
    "true is no law": (queues([1], [2], True), "single-hop", "max-weight", "'distribution': give one of poisson"),  # type: ignore[arg-type]
    "part of a seed": (
        queues([1], [2]) | {"graph": {"seed": 5.5}},
        "single-hop",
        "max-weight",
        "'seed': give a whole number",
    ),
    "rate of a stream": (
        queues([0, 0], [2, 2], "bernoulli", stream=3.0),
        "multipath",
        "expected-wait",
        "the graph's 'arrival' is 3.0; a Bernoulli mean is a chance, at most 1",
    ),
    "list for a stream": (
        queues([0, 0], [2, 2], stream=[3.0]),  # type: ignore[arg-type]
        "multipath",
        "expected-wait",
        "the graph's 'arrival': give one number",
    ),
}


@pytest.mark.parametrize("case", NETWORKS)
def test_bad_networks_are_refused_in_one_line(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document, problem, policy, said = NETWORKS[case]
    words = ["evaluate", problem, "--policy", policy, "--instances", written(tmp_path, document)]
    assert said in refusal(words, capsys)


def test_bad_words_are_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = written(tmp_path, FOUR_QUEUES)
    single = ["evaluate", "single-hop", "--policy"]
    assert "--slots 0: give at least 1" in refusal([*single, "max-weight", "--slots", "0"], capsys)
    assert "choose one of max-weight, longest-queue, random" in refusal([*single, "spbp"], capsys)
    assert "never ends" in refusal(["solve", "single-hop", net, "--policy", "max-weight"], capsys)
    assert "graphwright evaluate single-hop" in refusal(["check", "single-hop", net, net], capsys)
    assert "backlog-limit" in refusal([*single, "max-weight", "--environment.backlog-limit", "-1"], capsys)
    assert "sampled" in refusal(["evaluate", "hyper-grid", "--policy", "random"], capsys)
    beside = refusal([*single, "max-weight", "--instances", net, "--sizes", "3", "--law", "light"], capsys)
    assert "--sizes, --law: for random instances, and --instances names files" in beside
    assert "--undirected: for files, and none is named" in refusal([*single, "max-weight", "--undirected"], capsys)
    cover = ["evaluate", "vertex-cover", "--policy"]
    ends = "--slots: is for what never ends, and vertex-cover ends by itself; leave it out"
    assert ends in refusal([*cover, "greedy", "--slots", "20"], capsys)
    assert "--time-limit: is the solver's, and --policy greedy does" in refusal(
        [*cover, "greedy", "--time_limit=3"], capsys
    )
    assert "--policy max-weight does not solve" in refusal([*single, "max-weight", "--time-limit", "3"], capsys)
    assert "--decode greedy: is about what is trained" in refusal([*cover, "greedy", "--decode", "greedy"], capsys)


def test_an_unstable_load_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = written(tmp_path, queues([0, 0], [2, 1], stream=4.0))
    main(["evaluate", "multipath", "--policy", "expected-wait", "--instances", net, "--slots", "30"])
    assert "unstable: load 1.33" in capsys.readouterr().err
    nobody = written(tmp_path, queues([0, 0], [0, 0], stream=4.0))
    main(["evaluate", "multipath", "--policy", "expected-wait", "--instances", nobody, "--slots", "30"])
    assert "unstable: load inf" in capsys.readouterr().err  # and not 4e+300


def test_where_nothing_arrives_there_is_no_throughput(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "single-hop", "--policy", "max-weight", "--slots", "5", "--instances"]
    main([*words, written(tmp_path, queues([0, 0], [2, 2]))])
    assert "nan" not in capsys.readouterr().out


def rings(arrival: float, size: int, distribution: str) -> dict[str, object]:
    """A ring of links, of which each disturbs two others, and sends one packet in the mean."""
    conflicts = [{"source": node, "target": (node + 1) % size} for node in range(size)]
    return queues([arrival] * size, [1.0] * size, distribution) | {"links": conflicts}


@pytest.mark.parametrize(
    ("document", "load"),
    [
        (rings(0.44, 5, "bernoulli"), "1.1"),  # of five in a ring two send at once: 2/5 of the slots each
        (rings(0.4, 3, "bernoulli"), "1.2"),  # though no two of three together have more than 0.8
        (rings(0.51, 6, "bernoulli"), "1.02"),
        (rings(0.49, 6, "bernoulli"), ""),
        (rings(0.6, 4, "poisson"), ""),  # Poisson capacities: the better of two is above 1 in the mean
    ],
)
def test_what_links_in_conflict_can_send_bounds_their_load(
    document: dict[str, object], load: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "conflict-graph", "--policy", "max-weight", "--slots", "5", "--instances"]
    main([*words, written(tmp_path, document)])
    said = capsys.readouterr().err
    assert (f"unstable: load {load}," in said) if load else "unstable" not in said


def test_attributes_of_the_user_do_not_touch_chance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A node attribute `number` of whatever kind, which instances have too."""
    words = ["evaluate", "single-hop", "--policy", "max-weight", "--slots", "40", "--json", "--instances"]
    found = []
    for place, numbers in enumerate(([None] * 4, [1, 1, 1, 1], [0.5, 1, 2, 3])):
        nodes = [{**node, "number": number} for node, number in zip(FOUR_QUEUES["nodes"], numbers, strict=True)]  # type: ignore[call-overload]
        main([*words, written(tmp_path, FOUR_QUEUES | {"nodes": nodes}, f"{place}.json")])
        found.append(json.loads(capsys.readouterr().out)["rows"][0]["backlog"])
    assert found[0] == found[1] == found[2]


def test_chances_may_end_where_they_are_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lists of several lengths are as those that are filled up with 0."""
    words = ["evaluate", "single-hop", "--policy", "max-weight", "--slots", "40", "--json", "--instances"]
    short = queues([[0.5, 0.5], [0.9, 0, 0.1]], [[0.2, 0.8], [0, 0, 0, 1]], "categorical")  # type: ignore[list-item]
    full = queues([[0.5, 0.5, 0], [0.9, 0, 0.1]], [[0.2, 0.8, 0, 0], [0, 0, 0, 1]], "categorical")  # type: ignore[list-item]
    found = []
    for name, document in (("short.json", short), ("full.json", full)):
        main([*words, written(tmp_path, document, name)])
        found.append(json.loads(capsys.readouterr().out)["rows"][0]["backlog"])
    assert found[0] == found[1] > 0


def test_costs_may_be_large(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only means of counts are bounded, not what a waiting job costs."""
    document = stations([], cost=1000.0)
    words = ["evaluate", "multiclass", "--policy", "c-mu", "--slots", "40", "--json"]
    main([*words, "--instances", written(tmp_path, document)])
    assert json.loads(capsys.readouterr().out)["rows"][0]["backlog"] > 100


def test_a_run_learns_and_is_resumed_and_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = TrainConfig.for_problem(
        "single-hop",
        "ppo",
        steps=160,
        threads=1,
        encoder={"width": 8, "depth": 1},
        collection={"num_envs": 8, "num_steps": 10, "sizes": (3,)},
        validation={"sizes": (3,), "graphs": 2, "slots": 20, "every": 2},
        environment={"horizon": 15},
    )
    train("single-hop", config, tmp_path / "run")
    assert resume(tmp_path / "run", steps=240).counters.steps == 240
    main(["evaluate", str(tmp_path / "run"), "--slots", "30", "--graphs", "2", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert [row["slots"] for row in document["rows"]] == [30]


def test_batch_means_by_hand() -> None:
    """Means 1, 2, 3 of three batches of two: 2 ± 4.303 · 1 / √3."""
    found = batch_means(torch.tensor([1.0, 1, 2, 2, 3, 3]).numpy(), batches=3)
    assert found.value == 2.0
    assert abs(found.high - 2 - 4.30265 / 3**0.5) < 1e-4


def test_periods_of_several_steps_count_once() -> None:
    """Choosing links one by one, whatever the company, is averaged over slots."""
    problem = CONTROLLED["conflict-graph-sequential"]
    environment, rule = problem.environment, problem.baselines["local-greedy"].rule
    instances = problem.generator(sizes=(4, 8))(3, torch.Generator().manual_seed(0))
    together = run(environment, lambda state: rule(environment, state), instances, 25, 0)
    for graph in range(3):
        alone = run(environment, lambda state: rule(environment, state), instances.select(torch.tensor([graph])), 25, 0)
        assert (alone["backlog"][:, 0] == together["backlog"][:, graph]).all()
