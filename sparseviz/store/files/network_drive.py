"""Whether a file lies on another machine, where HDF5 cannot follow it while it is written."""

import sys
from pathlib import Path

MOUNTS = Path("/proc/mounts")
REMOTE = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "fuse.sshfs", "fuse.smbnetfs")

if sys.platform == "win32":
    import ctypes

    _DRIVE_REMOTE = 4

    def is_remote(path: Path) -> bool:
        """Whether the path is on a network drive."""
        return int(ctypes.windll.kernel32.GetDriveTypeW(path.absolute().anchor)) == _DRIVE_REMOTE

else:

    def is_remote(path: Path) -> bool:
        """Whether the path is on NFS, SMB or the like; False where the system does not tell (/proc/mounts of Linux)."""
        try:
            lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:
            return False
        return kind_of(path.resolve(), [line.split()[1:3] for line in lines]) in REMOTE


def kind_of(path: Path, mounts: list[list[str]]) -> str:
    """The file system on which an absolute path lies, of these pairs of a folder and a kind; "" for none."""
    found, kind_found = Path(), ""
    for folder, kind in mounts:
        mounted = Path(folder.encode("latin-1", "surrogateescape").decode("unicode_escape"))
        if path.is_relative_to(mounted) and len(mounted.parts) >= len(found.parts):  # what is mounted later lies above
            found, kind_found = mounted, kind
    return kind_found
