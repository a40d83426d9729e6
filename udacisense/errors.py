"""Every error that UdaciSense raises on purpose. Each message says what happened, why, and what to do next.

UdaciSenseError
├── DataError            a dataset, a split or an image that cannot be used
│   ├── ImageError       one image that is unreadable, too large, or of another kind
│   └── DownloadError    CIFAR-100 could not be fetched or failed its checksum
├── CheckpointError      a weight file that cannot be loaded
│   └── UnsafeFileError  loading the file would run code that it carries
├── FormatError          something about a phone format
│   ├── UnavailableError the format's tools or runtime are missing on this machine
│   ├── ExportError      the conversion failed
│   ├── RunError         a loaded file failed while it was loaded or run
│   └── InspectError     a file that cannot be looked into
├── MeasureError         a measurement that gave no usable number
├── CompressionError     a compression technique that cannot work on this network
├── RecipeError          a training recipe or a rules file with a mistake in it
├── SettingError         a setting of the environment whose value cannot be used
├── StoreError           a record that cannot be read or written
│   └── NotFoundError    no such checkpoint, artifact or record
└── JobError             a background job that could not start, or that ended badly
    └── CancelledJobError the job was cancelled by a person
"""


class UdaciSenseError(Exception):
    """The top of the tree: pages and the command line catch this one only."""


class DataError(UdaciSenseError):
    """A dataset, a split or an image that cannot be used."""


class ImageError(DataError):
    """One image that is unreadable, too large, or of another kind than its name says."""


class DownloadError(DataError):
    """CIFAR-100 could not be fetched or failed its checksum."""


class CheckpointError(UdaciSenseError):
    """A weight file that cannot be loaded."""


class UnsafeFileError(CheckpointError):
    """Loading the file would run code that it carries."""


class FormatError(UdaciSenseError):
    """Something about a phone format."""


class UnavailableError(FormatError):
    """The format's tools or runtime are missing on this machine."""


class ExportError(FormatError):
    """The conversion failed."""


class RunError(FormatError):
    """A loaded file failed while it was loaded or run."""


class InspectError(FormatError):
    """A file that cannot be looked into."""


class MeasureError(UdaciSenseError):
    """A measurement that gave no usable number."""


class CompressionError(UdaciSenseError):
    """A compression technique that cannot work on this network."""


class RecipeError(UdaciSenseError):
    """A training recipe or a rules file with a mistake in it."""


class SettingError(UdaciSenseError):
    """A setting of the environment whose value cannot be used."""


class StoreError(UdaciSenseError):
    """A record that cannot be read or written."""


class NotFoundError(StoreError):
    """No such checkpoint, artifact or record."""


class JobError(UdaciSenseError):
    """A background job that could not start, or that ended badly."""


class CancelledJobError(JobError):
    """The job was cancelled by a person."""
