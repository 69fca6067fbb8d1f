"""The data sets: real digits, and small IDX files made here."""

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from sparseviz import data
from sparseviz.config import ConfigError, paths
from sparseviz.config.parts import DataConfig
from sparseviz.data import Data, DataError, Split, fetching, in_memory, load_data, mnist
from tests.helpers.data.idx_files import NAMES, TEST, TRAIN, images_file, labels_file, small_mnist, write
from tests.helpers.data.mirror import Mirror, serving
from tests.helpers.data.splits import images_of

TRAIN_IMAGES, TRAIN_LABELS = mnist.TRAIN_FILES
TEST_IMAGES, TEST_LABELS = mnist.TEST_FILES


def load(folder: Path, *, download=False, progress=None) -> Data:
    return load_data(DataConfig(name="mnist", folder=str(folder), download=download), progress)


def assert_same(one: Data, other: Data) -> None:
    for part in ("train", "validation", "test"):
        assert torch.equal(images_of(getattr(one, part)), images_of(getattr(other, part)))
        assert torch.equal(getattr(one, part).labels, getattr(other, part).labels)
    assert (one.mean, one.std, one.checksum, one.note) == (other.mean, other.std, other.checksum, other.note)


def parts(found: Data) -> list[Split]:
    return [found.train, found.validation, found.test]


@pytest.fixture(scope="module")
def digits() -> Data:
    return load_data(DataConfig())


class TestDigits:
    def test_that_sizes_shapes_and_types_are_as_documented(self, digits):
        assert [len(split) for split in parts(digits)] == [1197, 240, 360]
        for split in parts(digits):
            assert images_of(split).shape == (len(split), 1, 28, 28)
            assert (images_of(split).dtype, split.labels.dtype) == (torch.float32, torch.int64)
        assert (digits.name, digits.classes, digits.note) == ("digits", tuple("0123456789"), "")

    def test_that_the_splits_are_disjoint_and_together_are_all_digits(self, digits):
        from sklearn.datasets import load_digits

        order = in_memory.stratified_order(load_digits().target)
        assert sorted(order) == list(range(1797))
        labels = torch.cat([digits.test.labels, digits.validation.labels, digits.train.labels])
        assert labels.tolist() == load_digits().target[order].tolist()

    def test_that_no_image_is_in_two_splits_or_missing(self, digits):
        from sklearn.datasets import load_digits

        # Enlarging keeps different images different, so that bytes tell who is who.
        ours = [image.numpy().tobytes() for split in parts(digits) for image in images_of(split)]
        originals = {image.tobytes() for image in load_digits().images}
        assert len(ours) == 1797
        assert len(set(ours)) == len(originals)

    def test_that_every_class_has_its_share_of_every_split_within_one_image(self, digits):
        counts = torch.stack([split.labels.bincount(minlength=10) for split in parts(digits)])
        shares = counts.sum(0) * torch.tensor([[1197], [240], [360]]) / 1797
        assert ((counts - shares).abs() < 1).all()

    def test_that_the_split_is_the_one_of_every_earlier_version(self, digits):
        assert digits.test.labels[:12].tolist() == [3, 1, 5, 4, 6, 9, 7, 0, 2, 8, 3, 1]
        order = in_memory.stratified_order(np.arange(1797, dtype=np.int64) % 10)
        assert order[:5].tolist() == [571, 70, 1555, 366, 1553]

    def test_that_the_global_generators_neither_matter_nor_move(self, digits):
        torch.manual_seed(5)
        np.random.seed(5)  # noqa: NPY002 - the global one is meant
        before = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
        again = load_data(DataConfig())
        assert_same(digits, again)
        assert torch.equal(before[0], torch.get_rng_state())
        assert str(before[1]) == str(np.random.get_state())  # noqa: NPY002

    def test_that_the_training_split_has_mean_0_and_standard_deviation_1(self, digits):
        images = images_of(digits.train).double()
        assert images.mean().item() == pytest.approx(0, abs=1e-6)
        assert images.std(correction=0).item() == pytest.approx(1, abs=1e-6)

    def test_that_mean_and_std_give_pixels_from_0_to_1_back(self, digits):
        pixels = torch.cat([images_of(split) for split in parts(digits)]) * digits.std[0] + digits.mean[0]
        assert pixels.min().item() == pytest.approx(0, abs=1e-6)
        assert pixels.max().item() == pytest.approx(1, abs=1e-6)

    def test_that_enlarging_moves_nothing_and_keeps_symmetry(self):
        small = np.zeros((1, 8, 8), np.float32)
        small[0, :, 3:5] = 1
        large = data.digits.enlarged(small)[0, 0]
        assert large.shape == (28, 28)
        np.testing.assert_allclose(large, large[:, ::-1], atol=1e-6)
        assert large[:, 13:15].min() == 1
        assert large[:, :7].max() == 0


class TestRegistry:
    def test_that_an_unknown_name_is_told_with_the_known_ones(self):
        with pytest.raises(ConfigError, match=r"data\.name.*'cats'.*digits, mnist"):
            load_data(DataConfig(name="cats"))

    def test_that_a_split_moves_to_a_device_whole(self, digits):
        moved = digits.test.to("meta")
        assert images_of(moved).device.type == moved.labels.device.type == "meta"
        assert len(moved) == 360


class TestMnist:
    def test_that_the_last_twelfth_of_the_training_images_validates(self, tmp_path):
        contents = small_mnist()
        found = load(write(tmp_path, contents))
        assert [len(split) for split in parts(found)] == [33, 3, 5]
        raw = torch.tensor(list(contents[TRAIN_IMAGES][16:])).reshape(36, 1, 28, 28) / 255
        torch.testing.assert_close(images_of(found.validation) * found.std[0] + found.mean[0], raw[33:])
        torch.testing.assert_close(images_of(found.train) * found.std[0] + found.mean[0], raw[:33])
        assert found.train.labels.tolist() == [i % 10 for i in range(33)]
        assert found.validation.labels.tolist() == [3, 4, 5]

    def test_that_a_twelfth_of_the_original_is_5000(self):
        assert 60_000 // mnist.VALIDATION_SHARE == 5_000

    def test_that_types_are_as_documented_and_the_training_split_is_normalised(self, tmp_path):
        found = load(write(tmp_path, small_mnist()))
        assert images_of(found.test).shape == (5, 1, 28, 28)
        assert (images_of(found.test).dtype, found.test.labels.dtype) == (torch.float32, torch.int64)
        assert images_of(found.train).double().mean().item() == pytest.approx(0, abs=1e-6)
        assert images_of(found.train).double().std(correction=0).item() == pytest.approx(1, abs=1e-6)

    def test_that_packed_and_raw_files_give_identical_data(self, tmp_path):
        raw = load(write(tmp_path / "raw", small_mnist()))
        packed = load(write(tmp_path / "packed", small_mnist(), packed=True))
        assert_same(raw, packed)

    def test_that_a_mixture_of_packed_and_raw_files_gives_identical_data(self, tmp_path):
        contents = small_mnist()
        raw = load(write(tmp_path / "raw", contents))
        write(tmp_path / "mixed", {name: contents[name] for name in NAMES[:2]}, packed=True)
        mixed = load(write(tmp_path / "mixed", {name: contents[name] for name in NAMES[2:]}))
        assert_same(raw, mixed)

    def test_that_the_checksum_is_the_md5_of_the_four_files_in_order_and_follows_every_byte(self, tmp_path):
        contents = small_mnist()
        first = load(write(tmp_path, contents))
        assert first.checksum == hashlib.md5(b"".join(contents[name] for name in NAMES)).hexdigest()
        contents[TEST_LABELS] = contents[TEST_LABELS][:-1] + b"\x09"
        assert load(write(tmp_path, contents)).checksum != first.checksum

    @pytest.mark.parametrize("subfolder", ["mnist", "MNIST/raw"])
    def test_that_the_usual_subfolders_are_searched(self, tmp_path, subfolder):
        write(tmp_path / subfolder, small_mnist())
        assert len(load(tmp_path).test) == TEST

    def test_that_without_a_folder_the_program_s_own_is_read(self, tmp_path, monkeypatch):
        monkeypatch.setattr(paths, "data_folder", lambda: tmp_path)
        write(tmp_path / "mnist", small_mnist())
        assert len(load_data(DataConfig(name="mnist")).test) == TEST

    def test_that_a_tilde_is_the_home_folder(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("USERPROFILE", str(tmp_path))
        write(tmp_path / "pictures", small_mnist())
        assert len(load(Path("~/pictures")).test) == TEST

    def test_that_a_folder_of_a_file_s_name_is_not_taken_for_the_file(self, tmp_path):
        write(tmp_path, small_mnist(), packed=True)
        (tmp_path / TRAIN_IMAGES).mkdir()
        assert len(load(tmp_path).test) == TEST

    def test_that_a_file_that_is_not_the_original_is_noted_by_name_and_sum(self, tmp_path, monkeypatch):
        contents = small_mnist()
        for name in NAMES[1:]:
            monkeypatch.setitem(mnist.MD5, name, (hashlib.md5(contents[name]).hexdigest(), ""))
        md5 = hashlib.md5(contents[TRAIN_IMAGES]).hexdigest()
        assert load(write(tmp_path, contents)).note == f"{TRAIN_IMAGES} is not the original file (MD5 {md5})"

    def test_that_original_files_leave_no_note(self, tmp_path, monkeypatch):
        for name, content in small_mnist().items():
            monkeypatch.setitem(mnist.MD5, name, (hashlib.md5(content).hexdigest(), ""))
        assert load(write(tmp_path, small_mnist())).note == ""


BAD = {  # what is wrong: file, its content, what the message says of it
    "magic": (TRAIN_IMAGES, images_file(TRAIN, magic=2049), "magic number 2049, expected 2051"),
    "swapped": (TEST_LABELS, images_file(TEST), "magic number 2051, expected 2049"),
    "dimensions": (TEST_IMAGES, images_file(TEST, side=32), "32 x 32 pixels, expected 28 x 28"),
    "cut": (TRAIN_IMAGES, images_file(TRAIN)[:-1], "28239 bytes, expected 28240"),
    "too long": (TRAIN_LABELS, labels_file(TRAIN) + b"\0", "45 bytes, expected 44"),
    "header": (TEST_IMAGES, images_file(TEST)[:9], "9 bytes, expected a header of 16"),
    "empty": (TEST_LABELS, b"", "0 bytes, expected a header of 8"),
    "counts": (TRAIN_LABELS, labels_file(TRAIN - 1), "35 labels, expected 36"),
    "classes": (TEST_LABELS, labels_file(TEST)[:-1] + b"\x0a", "label 10 (image 4), expected 0 to 9"),
    "blank": (TRAIN_IMAGES, images_file(TRAIN)[:16] + bytes([7]) * 784 * TRAIN, "one value in every pixel"),
}


class TestDamagedFiles:
    @pytest.mark.parametrize("packed", [False, True], ids=["raw", "gz"])
    @pytest.mark.parametrize("case", BAD)
    def test_that_it_is_refused_with_what_was_found_expected_and_a_way_out(self, tmp_path, case, packed):
        name, content, words = BAD[case]
        write(tmp_path, small_mnist() | {name: content}, packed=packed)
        assert_refused(tmp_path, name, words)

    @pytest.mark.parametrize(
        ("count", "names"), [(11, mnist.TRAIN_FILES), (0, mnist.TRAIN_FILES), (0, mnist.TEST_FILES)]
    )
    def test_that_too_few_images_are_refused(self, tmp_path, count, names):
        few = {names[0]: images_file(count), names[1]: labels_file(count)}
        least = "12" if names == mnist.TRAIN_FILES else "1"
        write(tmp_path, small_mnist() | few)
        assert_refused(tmp_path, names[0], f"{count} images, expected at least {least}")

    def test_that_the_fewest_images_allowed_are_taken(self, tmp_path):
        few = {TRAIN_IMAGES: images_file(12), TRAIN_LABELS: labels_file(12)}
        few |= {TEST_IMAGES: images_file(1), TEST_LABELS: labels_file(1)}
        assert [len(split) for split in parts(load(write(tmp_path, few)))] == [11, 1, 1]

    @pytest.mark.parametrize("damage", ["cut", "bit", "not gzip", "tail"])
    def test_that_a_damaged_gz_is_refused(self, tmp_path, damage):
        path = write(tmp_path, small_mnist(), packed=True) / f"{TRAIN_IMAGES}.gz"
        sound = path.read_bytes()
        flipped = sound[:5000] + bytes([sound[5000] ^ 1]) + sound[5001:]
        broken = {"cut": sound[:-9], "bit": flipped, "not gzip": b"<html>", "tail": sound + b"more"}
        path.write_bytes(broken[damage])
        assert_refused(tmp_path, f"{TRAIN_IMAGES}.gz", "cannot be read")


def assert_refused(folder: Path, name: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        load(folder)
    message = str(caught.value)
    assert str(folder / name) in message
    assert words in message
    assert "data.download=true" in message


class TestMissingFiles:
    def test_that_they_are_named_with_the_folder_and_both_ways_out(self, tmp_path):
        contents = small_mnist()
        del contents[TRAIN_LABELS], contents[TEST_IMAGES]
        with pytest.raises(DataError) as caught:
            load(write(tmp_path, contents))
        message = str(caught.value)
        assert f"{tmp_path} lacks {TRAIN_LABELS}, {TEST_IMAGES} (" in message
        assert "--data-dir DIR (setting data.folder)" in message
        assert "--set data.download=true" in message

    def test_that_a_folder_that_is_not_there_lacks_them_all_and_is_not_made(self, tmp_path):
        with pytest.raises(DataError, match=f"lacks {', '.join(NAMES)}"):
            load(tmp_path / "none")
        assert not (tmp_path / "none").exists()

    def test_that_a_folder_with_an_impossible_name_is_named_with_a_way_out(self, tmp_path):
        with pytest.raises(DataError, match=r"xxxx.*--data-dir"):
            load(tmp_path / ("x" * 300))

    def test_that_the_subfolder_with_most_files_is_the_one_that_is_named(self, tmp_path):
        write(tmp_path / "MNIST" / "raw", {name: small_mnist()[name] for name in NAMES[:3]})
        with pytest.raises(DataError) as caught:
            load(tmp_path)
        assert f"{tmp_path / 'MNIST' / 'raw'} lacks {TEST_LABELS} (" in str(caught.value)


@pytest.fixture
def contents(monkeypatch) -> dict[str, bytes]:
    """The small files, whose packed form is what the sums now ask for."""
    for name, content in small_mnist().items():
        sums = (hashlib.md5(content).hexdigest(), hashlib.md5(gzip.compress(content, mtime=0)).hexdigest())
        monkeypatch.setitem(mnist.MD5, name, sums)
    return small_mnist()


@pytest.fixture
def first(contents, monkeypatch) -> Iterator[Mirror]:
    monkeypatch.setenv("no_proxy", "*")
    with serving() as mirror:
        mirror.files = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in contents.items()}
        monkeypatch.setattr(mnist, "MIRRORS", (mirror.address,))
        yield mirror


@pytest.fixture
def second(first, monkeypatch) -> Iterator[Mirror]:
    with serving() as mirror:
        mirror.files = dict(first.files)
        monkeypatch.setattr(mnist, "MIRRORS", (first.address, mirror.address))
        yield mirror


class TestDownload:
    def test_that_missing_files_are_fetched_into_a_new_folder_and_kept(self, tmp_path, first):
        folder = tmp_path / "new" / "folder"
        found = load(folder, download=True)
        assert found.note == ""
        assert sorted(path.name for path in folder.iterdir()) == sorted(first.files)
        assert_same(load(folder), found)

    def test_that_progress_is_told_per_file_up_to_all_of_its_bytes(self, tmp_path, first, monkeypatch):
        monkeypatch.setattr(fetching, "BLOCK_BYTES", 10_000)
        told: list[tuple[str, int, int]] = []
        load(tmp_path, download=True, progress=lambda *args: told.append(args))
        for name, content in first.files.items():
            mine = [(done, total) for told_name, done, total in told if told_name == name]
            assert [done for done, _ in mine] == [*range(10_000, len(content), 10_000), len(content)]
            assert {total for _, total in mine} == {len(content)}

    def test_that_progress_says_0_in_all_where_the_server_does_not_say(self, tmp_path, first):
        first.sized = False
        told: list[tuple[str, int, int]] = []
        load(tmp_path, download=True, progress=lambda *args: told.append(args))
        assert {total for _, _, total in told} == {0}

    def test_that_only_missing_files_are_fetched(self, tmp_path, first, contents):
        write(tmp_path, {name: contents[name] for name in NAMES[:3]})
        load(tmp_path, download=True)
        assert first.asked == [f"{TEST_LABELS}.gz"]

    def test_that_nothing_is_fetched_where_all_is_there(self, tmp_path, first, contents):
        load(write(tmp_path, contents), download=True)
        assert first.asked == []

    @pytest.mark.parametrize("trouble", ["404", "sum", "truncated", "silent"])
    def test_that_the_second_mirror_is_asked_when_the_first_fails(self, tmp_path, first, second, trouble):
        spoil(first, trouble)
        found = load(tmp_path, download=True)
        assert found.note == ""
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(second.files)

    @pytest.mark.parametrize(
        ("trouble", "reason"),
        [
            ("404", "404"),
            ("sum", "MD5 [0-9a-f]{32}, expected [0-9a-f]{32}"),
            ("truncated", r"ended after \d+ of \d+ bytes"),
            ("silent", "MD5"),
        ],
    )
    def test_that_one_error_names_file_addresses_and_reasons_and_nothing_is_left_behind(
        self, tmp_path, first, second, trouble, reason
    ):
        spoil(first, trouble)
        spoil(second, trouble)
        name = f"{TRAIN_IMAGES}.gz"
        ways_out = r"try again later, or name the folder .* --data-dir DIR \(setting data\.folder\)"
        every = rf"{name} could not .*{first.address}{name}: .*{reason}.*{second.address}{name}: .*{reason}.*{ways_out}"
        with pytest.raises(DataError, match=every):
            load(tmp_path, download=True)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.usefixtures("first")
    def test_that_a_server_that_is_not_there_is_a_reason_too(self, tmp_path, monkeypatch):
        monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:1/",))
        with pytest.raises(DataError, match=rf"http://127\.0\.0\.1:1/{TRAIN_IMAGES}\.gz: .*refused"):
            load(tmp_path, download=True)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.usefixtures("first")
    def test_that_what_stops_the_person_leaves_nothing_behind(self, tmp_path):
        def stop(*_args):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            load(tmp_path, download=True, progress=stop)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.usefixtures("first")
    def test_that_a_folder_that_cannot_be_made_is_named_with_a_way_out(self, tmp_path):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(DataError) as caught:
            load(tmp_path / "file" / "mnist", download=True)
        message = str(caught.value)
        assert str(tmp_path / "file" / "mnist" / f"{TRAIN_IMAGES}.gz") in message
        assert "cannot be written" in message
        assert "--data-dir" in message

    @pytest.mark.usefixtures("first")
    def test_that_a_folder_that_cannot_be_written_is_named_with_a_way_out(self, tmp_path):
        (tmp_path / f"{TRAIN_IMAGES}.gz").mkdir()  # the finished file cannot take this place
        with pytest.raises(DataError, match=rf"{TRAIN_IMAGES}\.gz cannot be written.*--data-dir"):
            load(tmp_path, download=True)
        assert [path.name for path in tmp_path.iterdir()] == [f"{TRAIN_IMAGES}.gz"]


def spoil(mirror: Mirror, trouble: str) -> None:
    if trouble == "404":
        mirror.files.clear()
    elif trouble == "sum":
        mirror.files = {name: content[:-1] + b"?" for name, content in mirror.files.items()}
    else:  # too short, with and without its length told
        mirror.truncated, mirror.sized = True, trouble == "truncated"
