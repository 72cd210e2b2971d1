"""A file of settings says what each one is, and is read back to the same settings."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentir.config import PRESETS, Config, PretrainConfig, Settings, read_toml, sections
from sentir.config_file import WIDTH, to_toml, toml_value


def values(kind: type, name: str) -> st.SearchStrategy[Any]:
    """What a setting may be, by its type and range."""
    hint = get_type_hints(kind)[name]
    parts = get_args(hint)
    bounds: dict[str, Any] = {}
    for bound in kind.__pydantic_fields__[name].metadata:  # type: ignore[attr-defined]
        bounds |= {
            key: getattr(bound, key) for key in ("ge", "gt", "le", "lt") if hasattr(bound, key)
        }
    low, high = bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))
    if get_origin(hint) is Literal:
        return st.sampled_from(parts)
    if get_origin(hint) is tuple:
        return st.lists(st.sampled_from(get_args(parts[0]))).map(tuple)
    if hint is bool:
        return st.booleans()
    if name == "optimise":
        return st.sampled_from(["likeliest", "accuracy", "macro-f1", "recall:bad"])
    if hint is str:
        return st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
    if hint is float:
        return st.floats(
            low, high, exclude_min="gt" in bounds, exclude_max="lt" in bounds,
            allow_nan=False, allow_infinity=False,
        )  # fmt: skip
    integers = st.integers(low, None if high is None else high - ("lt" in bounds))
    return st.none() | integers if type(None) in parts else integers


def configurations(kind: type[Settings]) -> st.SearchStrategy[Any]:
    parts: Any = kind()
    return st.builds(
        kind,
        **{
            section.name: st.builds(
                type(getattr(parts, section.name)),
                **{
                    field.name: values(type(getattr(parts, section.name)), field.name)
                    for field in dataclasses.fields(getattr(parts, section.name))
                },
            )
            for section in dataclasses.fields(kind)  # type: ignore[arg-type]
        },
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(config=configurations(Config) | configurations(PretrainConfig), title=st.text())
def test_any_settings_come_back(
    config: Config | PretrainConfig, title: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "settings.toml"
    file.write_text(to_toml(config, title), "ascii")
    assert type(config).from_dict(read_toml(file)) == config


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_comes_back_whatever_it_is_put_over(name: str, tmp_path: Any) -> None:
    (tmp_path / "settings.toml").write_text(to_toml(Config.preset(name), name), "ascii")
    changes = read_toml(tmp_path / "settings.toml")
    for other in PRESETS.values():
        assert other.override(changes) == Config.preset(name)


@pytest.mark.parametrize("kind", [Config, PretrainConfig])
def test_every_setting_is_described(kind: type[Settings]) -> None:
    lines = to_toml(kind(), "all").splitlines()
    assert max(map(len, lines)) <= WIDTH + 2
    for name in sections(kind):
        at = next(i for i, line in enumerate(lines) if line.startswith(f"{name} = "))
        start = max(i for i in range(at) if not lines[i])
        comment = " ".join(line.removeprefix("# ") for line in lines[start + 1 : at])
        # So many defaults as settings: each is what the file says for it.
        assert comment.endswith(f"default: {lines[at].removeprefix(f'{name} = ')}")


def test_range_and_unit_stand_in_the_comment() -> None:
    text = to_toml(Config(), "all")
    assert "# size of the hidden state per direction (units)\n# at least 1; default: 64\n" in text
    assert '# one of lstm, gru, rnn, qrnn; default: "gru"\ncell = "gru"' in text
    assert '# at least 4, or "none"; default: "none"\nmax_vocab_size = "none"' in text
    assert "# at least 0, less than 1; default: 0.99\n" in text


def test_a_default_stays_the_default_where_the_value_differs() -> None:
    text = to_toml(Config.preset("fast"), "fast")
    assert "# at least 1; default: 64\nhidden_size = 32\n" in text


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, '"none"'), (True, "true"), (("a", "b"), '["a", "b"]'), (1e-5, "1e-05"),
     ('C:\\"é😀\n', '"C:\\U0000005C\\U00000022\\U000000E9\\U0001F600\\U0000000A"')],
)  # fmt: skip
def test_values(value: object, written: str) -> None:
    assert toml_value(value) == written


def test_a_title_is_a_comment_whatever_it_holds() -> None:
    assert to_toml(Config(), "run\n[model]\x1b é").startswith("# run\n# [model]\\ufffd \\xe9\n")
