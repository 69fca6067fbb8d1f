"""Network drives: whether a file lies on another machine, where HDF5 cannot follow it while it is written."""

import sys
from pathlib import Path

import psutil

REMOTE = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ncpfs",
    "afs",
    "afpfs",
    "webdav",
    "9p",
    "fuse.sshfs",
    "fuse.smbnetfs",
)

if sys.platform == "win32":
    import ctypes

    _DRIVE_REMOTE = 4

    def is_remote(path: Path) -> bool:
        """Whether the path is on a network drive; psutil knows none without a letter."""
        return int(ctypes.windll.kernel32.GetDriveTypeW(path.absolute().anchor)) == _DRIVE_REMOTE

else:

    def is_remote(path: Path) -> bool:
        """Whether the path is on NFS, SMB or the like; False where the system does not tell."""
        try:
            return kind_of(path.resolve()) in REMOTE
        except OSError:
            return False


def kind_of(path: Path) -> str:
    """The file system on which an absolute path lies; "" for none."""
    around = [each for each in psutil.disk_partitions(all=True) if path.is_relative_to(each.mountpoint)]
    # what is mounted later lies above
    return max(reversed(around), key=lambda each: len(Path(each.mountpoint).parts)).fstype if around else ""
