"""Every verb of the command line. What a verb does is in `udacisense.verbs`; this file only reads its arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from udacisense.cli.data import data
from udacisense.cli.examples import show_examples
from udacisense.cli.numbers import DEFAULT_TOLERANCE, Batch, Busy, Comparisons, Cpus, Crop, Seed, Threads, Tolerance, numbers
from udacisense.cli.options import Artifact, Json, Protocol, Scheme, Source, Split, Subject
from udacisense.cli.perform import COURSE_CODES, ERROR, VERDICT_CODES, perform

app = typer.Typer(
    name="udacisense",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Convert a compressed image classifier for phones, verify its equivalence, benchmark it, check its readiness. "
    "Ids or paths are accepted wherever a checkpoint, an artifact or a subject (either of them) is asked for. "
    "A verb ends with code 0, or 3 after an error; ready, history, benchmark --against and selftest also end "
    "with 1 or 2.",
)


@app.command()
def env(json: Json = False) -> None:
    """List devices, library versions, the seed and every setting."""
    perform(json, "env", lambda verbs: verbs.env())


app.command()(data)


@app.command()
def models(json: Json = False) -> None:
    """List checkpoints and the artifacts made from them."""
    perform(json, "models", lambda verbs: verbs.models_info())


@app.command()
def train(
    recipe: Annotated[str, typer.Option(help="name of a recipe in recipes/, or a .toml file")] = "baseline",
    out: Annotated[Path | None, typer.Option(help="where the .pth goes; by default models/<recipe>/checkpoints/")] = None,
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Train a checkpoint by a recipe; a killed training goes on from its last minute."""
    perform(json, "train", lambda verbs: verbs.train(recipe, out, seed))


@app.command()
def compress(
    pipeline: Annotated[str, typer.Option(help="name of a pipeline in pipelines/ (singles), or a .toml file")] = "pipeline_03",
    protocol: Protocol = "standard",
    table: Annotated[bool, typer.Option("--table", help="do no work; print what the records say")] = False,
    json: Json = False,
) -> None:
    """Compress a checkpoint step by step, judge and time every step; finished steps are skipped, a killed one goes on."""
    perform(json, "compress", lambda verbs: verbs.compress(pipeline, protocol, table))


@app.command()
def card(
    checkpoint: Annotated[str, typer.Argument(help="checkpoint, by id or path")],
    out: Annotated[Path | None, typer.Option(help="file to write; by default <name>.card.md beside the weights")] = None,
    json: Json = False,
) -> None:
    """Write a checkpoint's model card: data, training, accuracy, compression, limits, licences; all from records."""
    perform(json, "card", lambda verbs: verbs.card(checkpoint, out))


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="weights, or a TorchScript file, that somebody else made")],
    architecture: Annotated[str, typer.Option(help="torchvision:NAME, timm:NAME, efficientnet_lite:N, or household")] = "",
    classes: Annotated[str, typer.Option(help="names in the order of its logits: a,b,c, or a file with one a line")] = "",
    input: Annotated[str, typer.Option(help="height and width of its input in pixels: 96, or 96x128")] = "",
    mean: Annotated[str, typer.Option(help="of each channel, taken from values 0..1: 0.5, or three with commas")] = "",
    std: Annotated[str, typer.Option(help="deviation that they were divided by: 0.5, or three with commas")] = "",
    interpolation: Annotated[str, typer.Option(help="how images were resized: bicubic or bilinear")] = "bicubic",
    crop_pct: Crop = None,
    title: Annotated[str, typer.Option(help="what it tells apart, in a few words")] = "",
    licence: Annotated[str | None, typer.Option(help="licence of the weights; by default not known")] = None,
    json: Json = False,
) -> None:
    """Describe a file that does not say which classes it answers; until then it is not evaluated, converted or judged."""
    told = (file, classes, input, mean, std, architecture, interpolation, crop_pct, title, licence)
    perform(json, "add", lambda verbs: verbs.add(*told))


@app.command()
def convert(
    checkpoint: Annotated[str, typer.Argument(help="checkpoint, by id or path")],
    format: Annotated[str, typer.Option(help="name of a format, or all; a wrong one lists them")] = "torchscript",
    precision: Annotated[str, typer.Option(help="fp32, fp16, int8, palette6 or all; a format offers some of them")] = "fp32",
    recipe: Annotated[str | None, typer.Option(help="one recipe by name; by default the first whose file passes")] = None,
    json: Json = False,
) -> None:
    """Convert a checkpoint to a phone format and publish the file in models/mobile; with all, publish nothing.

    int8 means the smallest and fastest int8 file that passes: the format's recipes are tried in turn, each file is measured on
    validation images, and the first that agrees with the checkpoint and keeps its accuracy is taken.
    """
    if "all" in (format, precision):
        if recipe is not None:
            raise typer.BadParameter("a recipe belongs to one format and precision; leave out --recipe, or name both")
        perform(json, "convert_all", lambda verbs: verbs.convert_all(checkpoint, format, precision))
    perform(json, "convert", lambda verbs: verbs.convert(checkpoint, format, precision, recipe))


@app.command()
def inspect(
    artifact: Annotated[str, typer.Argument(help="artifact, by id or path, or any file of a phone format")],
    json: Json = False,
) -> None:
    """List the graph and operators inside a converted file: types, what runs in int8, and what to mend."""
    perform(json, "inspect", lambda verbs: verbs.inspect(artifact))


@app.command()
def package(
    artifact: Artifact,
    out: Annotated[Path | None, typer.Option(help="a .zip, or a folder to put it in; by default <artifact>.zip here")] = None,
    labels_anyway: Annotated[
        bool, typer.Option("--labels-anyway", help="pack class names that an evaluation questions")
    ] = False,
    json: Json = False,
) -> None:
    """Package a file for an app developer: labels, golden images, metrics, code for its platforms, a self-test."""
    perform(json, "package", lambda verbs: verbs.package(artifact, out, labels_anyway))


@app.command()
def classify(
    images: Annotated[list[str], typer.Argument(help="image files")],
    subject: Annotated[str, typer.Option("--with", help="checkpoint or artifact, by id or path")],
    json: Json = False,
) -> None:
    """Classify images: the class of each with its probability; an image that fails is named, and the code is then 3."""
    perform(json, "classify", lambda verbs: verbs.classify(images, subject), lambda found: ERROR if found.failures else 0)


@app.command()
def evaluate(
    subject: Subject,
    source: Source = None,
    split: Split = "test",
    scheme: Scheme = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="run again although there is a record")] = False,
    json: Json = False,
) -> None:
    """Evaluate the accuracy of a checkpoint or artifact on a split."""
    perform(json, "evaluate", lambda verbs: verbs.evaluate(subject, source, split, scheme, fresh))


@app.command()
def verify(
    artifact: Annotated[str, typer.Argument(help="artifact, by id or path, or all: those not verified on these images yet")],
    source: Source = None,
    split: Split = "test",
    scheme: Scheme = None,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    json: Json = False,
) -> None:
    """Verify that an artifact is equivalent to its checkpoint."""
    if artifact == "all":
        if tolerance != DEFAULT_TOLERANCE:
            raise typer.BadParameter(
                "all files are verified with the rule's tolerance; leave out --tolerance, or name one file"
            )
        perform(json, "verify_all", lambda verbs: verbs.verify_all(None, source, split, scheme))
    perform(json, "verify", lambda verbs: verbs.verify(artifact, source, split, scheme, tolerance))


@app.command()
def locate(
    artifact: Artifact,
    source: Source = None,
    split: Split = "test",
    scheme: Scheme = None,
    against: Annotated[str | None, typer.Option(help="reference checkpoint; by default the file's own")] = None,
    method: Annotated[
        str | None, typer.Option(help="values or prefixes; by default values where the format shows them")
    ] = None,
    every: Annotated[bool, typer.Option("--every", help="with prefixes, convert up to every block instead of halving")] = False,
    json: Json = False,
) -> None:
    """Compare a converted file with its checkpoint layer by layer, and name the first block that diverges."""
    perform(json, "locate", lambda verbs: verbs.locate(artifact, source, split, scheme, against, method, every))


@app.command()
def benchmark(
    subjects: Annotated[list[str], typer.Argument(help="checkpoints and artifacts to time side by side, by id or path")],
    protocol: Protocol = "standard",
    threads: Threads = "",
    batch: Batch = "1",
    busy: Busy = 0,
    cpus: Cpus = "",
    against: Annotated[str | None, typer.Option(help="compare it with an earlier run, record or tag")] = None,
    json: Json = False,
) -> None:
    """Time checkpoints and artifacts in turns, each in its own process; with --against, code 1 after a regression.

    With --against the code is 2 where the comparison is inconclusive.
    """

    def work(verbs: Any) -> dict[str, Any]:
        found = verbs.benchmark(subjects, protocol, numbers(threads), numbers(batch), busy, numbers(cpus))
        return {"benchmarks": found, **({"against": verbs.history(against, found[0].run_id)} if against else {})}

    perform(json, "benchmark", work, lambda found: COURSE_CODES[found["against"].course] if against else 0)


@app.command()
def runs(json: Json = False) -> None:
    """List the runs of the benchmark, which history and tag take by id."""
    perform(json, "runs", lambda verbs: verbs.runs())


@app.command()
def history(
    against: Annotated[str, typer.Argument(help="an earlier run, record or tag")],
    run: Annotated[str | None, typer.Option(help="the later run, by id, record or tag; by default the newest")] = None,
    json: Json = False,
) -> None:
    """Compare a run with an earlier one: code 0 no regression, 1 regression, 2 inconclusive, 3 error."""
    perform(json, "history", lambda verbs: verbs.history(against, run), lambda found: COURSE_CODES[found.course])


@app.command()
def tag(
    name: Annotated[str, typer.Argument(help="letters, digits, dot, dash")],
    run: Annotated[str | None, typer.Argument(help="a run, record or other tag; by default the newest run")] = None,
    json: Json = False,
) -> None:
    """Name a benchmark run, so that later ones can be compared with it."""
    perform(json, "tag", lambda verbs: verbs.tag(name, run))


@app.command()
def selftest(
    what: Annotated[str, typer.Argument(help="bench")] = "bench",
    subject: Annotated[str | None, typer.Option(help="file to time, by id or path; by default one that starts fast")] = None,
    comparisons: Comparisons = 100,
    json: Json = False,
) -> None:
    """Check the benchmark itself on this machine by A/A tests: code 0 pass, 1 fail. Takes about ten minutes."""
    perform(json, "selftest", lambda verbs: verbs.selftest(what, subject, comparisons), lambda found: 0 if found.passed else 1)


@app.command()
def ready(
    artifact: Annotated[str | None, typer.Argument(help="artifact, by id or path; all of them by default")] = None,
    json: Json = False,
) -> None:
    """Check an artifact by the rules of readiness.toml: code 0 ready, 1 not ready, 2 inconclusive, 3 error."""
    perform(json, "ready", lambda verbs: verbs.ready(artifact), lambda found: VERDICT_CODES[found.status])


@app.command()
def report(
    artifact: Annotated[str | None, typer.Argument(help="artifact, by id or path; all of them by default")] = None,
    format: Annotated[str, typer.Option(help="markdown or html")] = "markdown",
    out: Annotated[Path | None, typer.Option(help="file to write; by default stdout")] = None,
    images: Annotated[bool, typer.Option("--images", help="put photographs of the data source into the HTML too")] = False,
    json: Json = False,
) -> None:
    """Write a report on one artifact, or on all, with the record behind every figure."""
    perform(json, "report", lambda verbs: verbs.write_report(artifact, format, out, images))


@app.command()
def run(
    checkpoint: Annotated[str | None, typer.Argument(help="by id or path; the pipeline's or the baseline by default")] = None,
    source: Source = None,
    scheme: Scheme = None,
    protocol: Protocol = "standard",
    also: Annotated[list[str] | None, typer.Option(help="a further file, such as litert:int8; may be repeated")] = None,
    json: Json = False,
) -> None:
    """Run the full pipeline: convert, evaluate, verify, benchmark, check readiness; print the table of the course's notebook.

    The files are the notebook's two TorchScript ones and ExecuTorch's fp32; with --also, others too.
    """
    perform(json, "run", lambda verbs: verbs.run(checkpoint, source, scheme, protocol, also or ()))


show_examples(app)
