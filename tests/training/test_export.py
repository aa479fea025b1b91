"""An exported policy is the policy, on graphs of other sizes and other numbers of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

import graphwright as gw
from command_line import fails
from graphwright.cli.main import main
from graphwright.core import GraphBatch, Observation
from graphwright.envs.registry import PROBLEMS
from graphwright.training.agent import Agent
from graphwright.training.config import ConfigError
from graphwright.training.export import INPUTS_FILE, inputs_of
from graphwright.training.networks import make_policy


def untrained(problem: str, heads: dict | None = None, **encoder: object) -> Agent:
    config = gw.TrainConfig.for_problem(problem, encoder={"width": 8, "depth": 2, **encoder}, heads=heads or {})
    return Agent(PROBLEMS[problem], config, make_policy(config, torch.device("cpu")))


def states(agent: Agent, sizes: tuple[int, ...], number: int) -> GraphBatch:
    instances = agent.problem.generator(sizes=sizes)(number, torch.Generator().manual_seed(number))
    return agent.config.played.reset(instances)


def scores(agent: Agent, seen: Observation) -> list[torch.Tensor]:
    embedding = agent.policy.encoder(seen.graph)
    heads = zip(agent.policy.actor.heads, seen.masks, strict=True)
    return [head(embedding, seen.graph, mask).reshape(mask.shape) for head, mask in heads]


@pytest.mark.parametrize(
    ("problem", "encoder", "heads"),
    [
        ("steiner-tree", {"kind": "edge-gated", "depth": 1}, {}),
        ("steiner-tree", {"kind": "edge-gated", "depth": 1}, {"edges": "ends-concat"}),
        ("steiner-tree", {"kind": "edge-gated"}, {"edges": "states"}),  # of two rounds: states of edges are passed on
        ("network-repair", {"virtual_node": True, "kind": "gatv2"}, {}),
    ],
    ids=["links", "links by their ends in turn", "links by their states", "a mix"],
)
@torch.no_grad()
def test_the_program_is_the_policy_on_graphs_of_other_sizes(
    problem: str, encoder: dict, heads: dict, tmp_path: Path
) -> None:
    """A link that is stored both ways is read both ways: programs once read one direction of it."""
    agent = untrained(problem, heads, **encoder)
    agent.export(tmp_path / "policy.pt2")
    files = {INPUTS_FILE: ""}
    program = torch.export.load(tmp_path / "policy.pt2", extra_files=files).module()
    names = json.loads(files[INPUTS_FILE])
    largest = max(agent.problem.sizes)
    for sizes, number in (((largest,), 1), ((largest, 2 * largest), 4), ((3 * largest,), 2)):
        seen = agent.config.played.observe(states(agent, sizes, number))
        inputs = inputs_of(agent.policy, seen)
        assert len(inputs) == len(names["inputs"])
        found = program(*inputs)
        assert len(found) == len(names["outputs"]) == len(seen.masks)
        for expected, given, mask in zip(scores(agent, seen), found, seen.masks, strict=True):
            assert (given == -torch.inf).equal(~mask)
            torch.testing.assert_close(given[mask], expected[mask])


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
@torch.no_grad()
def test_the_compiled_program_is_the_policy_on_graphs_of_other_sizes(tmp_path: Path) -> None:
    from torch._inductor import config

    agent = untrained("vertex-cover", depth=1)
    agent.save(tmp_path / "run")
    with config.patch({"aot_inductor.precompile_headers": False}):  # which many programs share, and one waits for
        main(["export", str(tmp_path / "run"), "--out", str(tmp_path / "policy.pt2"), "--compile"])
    program = torch._inductor.aoti_load_package(str(tmp_path / "policy.pt2"))
    names = {name: json.loads(program.get_metadata()[name]) for name in ("inputs", "outputs")}
    for sizes, number in (((5,), 1), ((3,), 1), ((15, 40), 4), ((200,), 2)):
        seen = agent.config.played.observe(states(agent, sizes, number))
        inputs = inputs_of(agent.policy, seen)
        assert len(inputs) == len(names["inputs"])
        (found,), (expected,), (mask,) = program(*inputs), scores(agent, seen), seen.masks
        assert names["outputs"] == ["select"]
        assert (found == -torch.inf).equal(~mask)
        torch.testing.assert_close(found[mask], expected[mask])


def test_a_policy_that_cannot_be_compiled_leaves_no_file_and_says_why(tmp_path: Path) -> None:
    from torch._inductor import config

    missing = config.patch({"cpp.cxx": ("no-such-compiler",)})
    with missing, pytest.raises(ConfigError, match="C\\+\\+ compiler") as error:
        untrained("vertex-cover", depth=1, width=4).export(tmp_path / "policy.pt2", compiled=True)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_expressed_is_said_with_the_reason(tmp_path: Path) -> None:
    for agent, word in (
        (untrained("graph-robustness"), "pairs of nodes"),
        (untrained("pursuit"), "not all nodes decide"),
        (untrained("vertex-cover", kind="graph-transformer"), "depends on values"),
        (untrained("locomotion") if "locomotion" in PROBLEMS else None, "distributions of their own"),
    ):
        if agent is not None:
            with pytest.raises(ConfigError, match=word):
                agent.export(tmp_path / "policy.pt2")
    assert not (tmp_path / "policy.pt2").exists()


def test_an_agent_acts_on_instances_states_and_observations() -> None:
    agent = untrained("vertex-cover")
    begun = states(agent, (6, 9), 3)
    environment = agent.config.played
    best = agent.policy.best(environment.observe(begun))
    instances = GraphBatch(begun.edge_index, begun.node_ptr, begun.edge_ptr, {"weight": begun.nodes["weight"]})
    instances = instances.with_edges(**begun.edges)
    assert agent.act(instances).equal(best)
    assert agent.act(begun).equal(best)
    later = environment.step(begun, best).state
    assert agent.act(later).equal(agent.predict(environment.observe(later)))
    assert agent.act(begun, draw=True, seed=3).equal(agent.act(begun, draw=True, seed=3))
    sampler = Agent(PROBLEMS["hyper-grid"], gw.TrainConfig.for_problem("hyper-grid"), None)
    with pytest.raises(ConfigError, match="sample"):
        sampler.act(begun)


def test_a_run_is_exported_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    untrained("vertex-cover").save(tmp_path / "run")
    main(["export", str(tmp_path / "run"), "--out", str(tmp_path / "policy.pt2")])
    assert "for graphs of any size" in capsys.readouterr().out
    assert torch.export.load(tmp_path / "policy.pt2").module() is not None
    assert ".pt2" in fails(capsys, "export", tmp_path / "run", "--out", tmp_path / "policy.onnx")


def test_networks_of_agents_of_their_own_are_not_exported_and_the_reason_is_theirs(tmp_path: Path) -> None:
    """They were once said to have distributions of their own."""
    settings = {"encoder": {"individual": True}, "collection": {"identity": {"kind": "one-hot", "most": 4}}}
    config = gw.TrainConfig.for_problem("foraging", "ippo", **settings)
    policy = make_policy(config, torch.device("cpu"))
    with pytest.raises(ConfigError, match="which networks are asked"):
        Agent(PROBLEMS["foraging"], config, policy).export(tmp_path / "policy.pt2")
