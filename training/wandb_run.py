"""What Weights & Biases is told of a version: everything in the folder where it was published, and nothing else.

Importing this imports wandb, which reads the environment: call `enclose` of `training.wandb_place` first.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import wandb

from app.core.artifact import Manifest
from app.core.errors import ArtifactError, TrackingError
from app.core.settings import Settings
from training.tracking import Mode, mode, without_key

Values = dict[str, Any]

_ARTIFACT = "game-recommender"
_REPORT = "report.json"
_SHARE = 0.4  # of the time limit: what the beginning may take, and what the end may
_TOLD = ("format_version", "created_at", "git_commit", "data_kind", "catalogue_source", "data_fingerprint", "counts")
_OF_PLAYERS = ("users_", "histories_", "held_out_", "report.")  # files that name players, or hold what they played


def write(settings: Settings, manifest: Manifest, folder: Path) -> None:
    """Write a version as a run, complete; raises `TrackingError` where Weights & Biases does not take it."""
    report = _report(folder)
    try:
        with wandb.init(
            id=manifest.version,
            name=manifest.version,
            project=settings.wandb_project,
            entity=settings.wandb_entity,
            job_type="train",
            tags=[manifest.data_kind, manifest.catalogue_source],
            config=config(manifest),
            settings=_settings(settings, mode(settings)),
        ) as run:
            run.define_metric("trial/*", summary="none")
            for trial in trials(report):
                run.log(trial)
            pictures = {f"plots/{path.stem}": wandb.Image(str(path)) for path in sorted(folder.glob("*.png"))}
            if pictures:
                run.log(pictures)
            run.summary.update(summary(manifest, report))
            run.log_artifact(_artifact(manifest, folder), aliases=[manifest.version])
    except (wandb.Error, OSError, ValueError) as failed:  # the latter ones come out of it too
        said = without_key(str(failed), settings).strip().splitlines() or [type(failed).__name__]
        raise TrackingError(f"Weights & Biases says: {said[0]}") from failed


def config(manifest: Manifest) -> Values:
    """Say what the model was made with and of."""
    return {**manifest.config, **manifest.model_dump(mode="json", include=set(_TOLD))}


def summary(manifest: Manifest, report: Mapping[str, Any]) -> Values:
    """Say how good the model is, what the gate decided, and what has changed, as `model/ndcg@10`, one name a number."""
    changes, scores = report.get("changes") or {}, [trial["score"] for trial in _tried(report)]
    return {
        **dict(_flat(manifest.metrics)),
        **dict(_flat(manifest.gate, "gate/")),
        **({"tuning/trials": len(scores), f"tuning/best/{report['tuning']['metric']}": max(scores)} if scores else {}),
        **{f"changes/games/{kind}": games["count"] for kind, games in changes.get("games", {}).items()},
        **{f"drift/{feature['name']}": feature["psi"] for feature in changes.get("drift", ())},
    }


def trials(report: Mapping[str, Any]) -> Iterator[Values]:
    """Say what was tried before, one step a trial: its numbers, and how well it did."""
    for trial in _tried(report):
        numbers = {f"trial/{name.replace('.', '/')}": number for name, number in trial["numbers"].items()}
        yield {f"trial/{report['tuning']['metric']}": trial["score"], **numbers}


def _tried(report: Mapping[str, Any]) -> list[Values]:
    tuning = report.get("tuning")
    return list(tuning["trials"]) if tuning else []


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Name every value by the way to it; of an estimate, its value has the name of the estimate."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}/")
        elif value is not None:
            yield (prefix[:-1] if name == "value" else f"{prefix}{name}"), value


def _artifact(manifest: Manifest, folder: Path) -> wandb.Artifact:
    """Name the files of the version; they are sent from where they lie, and copied nowhere.

    What real people have played stays in the house: there the manifest alone names the digests of those arrays.
    """
    artifact = wandb.Artifact(_ARTIFACT, type="model", metadata=config(manifest))
    left_out = _OF_PLAYERS if manifest.data_kind == "observed" else ()
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(left_out):
            # Immutable: a published version never changes. It would be copied, and the copy kept, otherwise.
            artifact.add_file(str(path.resolve()), policy="immutable", skip_cache=True)
    return artifact


def _report(folder: Path) -> Values:
    try:
        report = orjson.loads((folder / _REPORT).read_bytes())
    except FileNotFoundError:
        return {}
    except orjson.JSONDecodeError as broken:
        raise ArtifactError(f"The report of {folder.name} cannot be read.") from broken
    return dict(report)


def _settings(settings: Settings, how: Mode) -> wandb.Settings:
    key = settings.wandb_api_key
    known: Values = {"base_url": settings.wandb_base_url} if settings.wandb_base_url else {}
    return wandb.Settings(
        mode=how,
        api_key=key.get_secret_value() if key and how == "online" else None,
        root_dir=str(settings.data_dir.resolve()),
        use_dot_wandb=False,
        init_timeout=_SHARE * settings.wandb_timeout,
        finish_timeout=_SHARE * settings.wandb_timeout,
        finish_timeout_raises=True,
        silent=True,
        # Nothing of the machine, its programs or what they print.
        console="off",
        disable_code=True,
        disable_git=True,
        disable_job_creation=True,
        host="trainer",
        program="training",
        save_code=False,
        x_disable_machine_info=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_save_requirements=False,
        **known,
    )
