"""What live traffic tells."""

from typing import TYPE_CHECKING

from assay.lazy import lazily

if TYPE_CHECKING:
    from assay.telemetry.counters import Counters
    from assay.telemetry.decisions.compacting import Compacted, compact
    from assay.telemetry.decisions.erasing import Erased, erase, forget_decisions
    from assay.telemetry.decisions.exporting import export_records, moment_of
    from assay.telemetry.decisions.hashing import KEY_FILE, Hashes, hashes_of
    from assay.telemetry.decisions.held import HeldFile, held_log, whole_lines
    from assay.telemetry.decisions.listing import check_folder
    from assay.telemetry.decisions.log import DecisionLog, LogMetrics
    from assay.telemetry.decisions.notes import Notes
    from assay.telemetry.decisions.reading import Span, find_record, read_records, span_of
    from assay.telemetry.decisions.record import MEANINGS as DECISION_FIELDS
    from assay.telemetry.decisions.record import Record
    from assay.telemetry.decisions.selecting import Sought
    from assay.telemetry.decisions.tallying import LogStatistics, TaskTally, tally_records
    from assay.telemetry.decisions.writing import LogPolicy
    from assay.telemetry.drift.binning import Binning
    from assay.telemetry.drift.comparing import FEWEST_DECISIONS
    from assay.telemetry.drift.distances import (
        Distance,
        checks_of,
        distance_of,
        kolmogorov,
        max_difference,
        psi,
        psi_by_chance,
        ratio_test,
    )
    from assay.telemetry.drift.folder import write_look
    from assay.telemetry.drift.gathering import Gathered, Traffic, block_edges, traffic_of
    from assay.telemetry.drift.lines import lines_of as look_lines
    from assay.telemetry.drift.look import Look, Swap, look_at
    from assay.telemetry.drift.monitor import DriftMonitor
    from assay.telemetry.drift.sentences import sentence
    from assay.telemetry.drift.watch import BLOCK, FALSE_ALARMS, WINDOW, Change, Watch, differs, level_of
    from assay.telemetry.ecs import FIELDS as LOG_FIELDS
    from assay.telemetry.feedback.guards import Guards, Labelled, Sifted, sift
    from assay.telemetry.feedback.resolving import resolve
    from assay.telemetry.feedback.standing import Standing, stand
    from assay.telemetry.feedback.store import Feedback
    from assay.telemetry.feedback.votes import Vote, votes
    from assay.telemetry.feedback.watching import QualityWatch
    from assay.telemetry.request_log import RequestLog
else:
    __getattr__ = lazily(
        __name__,
        {
            "counters": ("Counters",),
            "decisions.compacting": ("Compacted", "compact"),
            "decisions.erasing": ("Erased", "erase", "forget_decisions"),
            "decisions.exporting": ("export_records", "moment_of"),
            "decisions.hashing": ("KEY_FILE", "Hashes", "hashes_of"),
            "decisions.held": ("HeldFile", "held_log", "whole_lines"),
            "decisions.listing": ("check_folder",),
            "decisions.log": ("DecisionLog", "LogMetrics"),
            "decisions.notes": ("Notes",),
            "decisions.reading": ("Span", "find_record", "read_records", "span_of"),
            "decisions.record": ("MEANINGS as DECISION_FIELDS", "Record"),
            "decisions.selecting": ("Sought",),
            "decisions.tallying": ("LogStatistics", "TaskTally", "tally_records"),
            "decisions.writing": ("LogPolicy",),
            "drift.binning": ("Binning",),
            "drift.comparing": ("FEWEST_DECISIONS",),
            "drift.distances": (
                "Distance",
                "checks_of",
                "distance_of",
                "kolmogorov",
                "max_difference",
                "psi",
                "psi_by_chance",
                "ratio_test",
            ),
            "drift.folder": ("write_look",),
            "drift.gathering": ("Gathered", "Traffic", "block_edges", "traffic_of"),
            "drift.lines": ("lines_of as look_lines",),
            "drift.look": ("Look", "Swap", "look_at"),
            "drift.monitor": ("DriftMonitor",),
            "drift.sentences": ("sentence",),
            "drift.watch": ("BLOCK", "FALSE_ALARMS", "WINDOW", "Change", "Watch", "differs", "level_of"),
            "ecs": ("FIELDS as LOG_FIELDS",),
            "feedback.guards": ("Guards", "Labelled", "Sifted", "sift"),
            "feedback.resolving": ("resolve",),
            "feedback.standing": ("Standing", "stand"),
            "feedback.store": ("Feedback",),
            "feedback.votes": ("Vote", "votes"),
            "feedback.watching": ("QualityWatch",),
            "request_log": ("RequestLog",),
        },
    )

__all__ = [
    "BLOCK",
    "DECISION_FIELDS",
    "FALSE_ALARMS",
    "FEWEST_DECISIONS",
    "KEY_FILE",
    "LOG_FIELDS",
    "WINDOW",
    "Binning",
    "Change",
    "Compacted",
    "Counters",
    "DecisionLog",
    "Distance",
    "DriftMonitor",
    "Erased",
    "Feedback",
    "Gathered",
    "Guards",
    "Hashes",
    "HeldFile",
    "Labelled",
    "LogMetrics",
    "LogPolicy",
    "LogStatistics",
    "Look",
    "Notes",
    "QualityWatch",
    "Record",
    "RequestLog",
    "Sifted",
    "Sought",
    "Span",
    "Standing",
    "Swap",
    "TaskTally",
    "Traffic",
    "Vote",
    "Watch",
    "block_edges",
    "check_folder",
    "checks_of",
    "compact",
    "differs",
    "distance_of",
    "erase",
    "export_records",
    "find_record",
    "forget_decisions",
    "hashes_of",
    "held_log",
    "kolmogorov",
    "level_of",
    "look_at",
    "look_lines",
    "max_difference",
    "moment_of",
    "psi",
    "psi_by_chance",
    "ratio_test",
    "read_records",
    "resolve",
    "sentence",
    "sift",
    "span_of",
    "stand",
    "tally_records",
    "traffic_of",
    "votes",
    "whole_lines",
    "write_look",
]
