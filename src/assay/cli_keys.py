"""The commands about keys."""

import argparse

from assay.terminal import settings_of, tell


def create(options: argparse.Namespace) -> int:
    """Make a key and show its secret."""
    from assay.keyring import create_key

    scopes, rate = ",".join(options.scope), options.rate
    return tell(create_key(options.name, scopes, settings_of(), rate=rate, expires=options.expires))


def rotate(options: argparse.Namespace) -> int:
    """Put a new key in the place of one."""
    from assay.keyring import rotate_key

    return tell(rotate_key(options.key, settings_of(), grace=options.grace))


def revoke(options: argparse.Namespace) -> int:
    """Withdraw a key."""
    from assay.keyring import revoke_key

    return tell(revoke_key(options.key, settings_of(), reason=options.reason))


def show(_: argparse.Namespace) -> int:
    """List the keys."""
    from assay.keyring import list_keys

    return tell(list_keys(settings_of()))
