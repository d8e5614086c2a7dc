"""strata/c.h from Python's ctypes: c_api_test.py LIBSTRATA_C.SO"""

import ctypes
import sys
import tempfile
import unittest
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64
from ctypes import c_size_t, c_uint32, c_uint64, c_void_p

OK, INVALID_ARGUMENT, NOT_FOUND, CONFLICT = 0, 1, 2, 5


class Config(ctypes.Structure):
    """The first members: the library gives the rest its defaults."""

    _fields_ = [
        ("size", c_size_t),
        ("data_dir", c_char_p),
        ("warm_dir", c_char_p),
        ("cold_dir", c_char_p),
        ("cold_disabled", c_int32),
        ("create_if_missing", c_int32),
    ]


class AppendResult(ctypes.Structure):
    _fields_ = [
        ("base_offset", c_uint64),
        ("end_offset", c_uint64),
        ("epoch", c_uint32),
        ("durability", c_int32),
    ]


class Batch(ctypes.Structure):
    _fields_ = [
        ("bytes", c_void_p),
        ("length", c_size_t),
        ("base_offset", c_uint64),
        ("end_offset", c_uint64),
        ("max_timestamp", c_int64),
        ("epoch", c_uint32),
        ("record_count", c_uint32),
        ("format", c_int32),
        ("tier", c_int32),
    ]


def load(path):
    lib = ctypes.CDLL(path)
    error = POINTER(c_void_p)
    lib.strata_config_init.argtypes = [POINTER(Config), c_size_t]
    lib.strata_config_init.restype = None
    lib.strata_open.argtypes = [POINTER(Config), POINTER(c_void_p), error]
    lib.strata_close.argtypes = [c_void_p, error]
    lib.strata_append.argtypes = [
        c_void_p, c_char_p, c_uint32, c_char_p, c_size_t, c_void_p,
        POINTER(AppendResult), error]
    lib.strata_read.argtypes = [
        c_void_p, c_char_p, c_uint32, c_uint64, c_void_p, POINTER(c_void_p),
        error]
    lib.strata_trim.argtypes = [c_void_p, c_char_p, c_uint32, c_uint64, error]
    lib.strata_batches_count.argtypes = [c_void_p]
    lib.strata_batches_count.restype = c_size_t
    lib.strata_batches_get.argtypes = [c_void_p, c_size_t, POINTER(Batch), error]
    lib.strata_batches_release.argtypes = [c_void_p]
    lib.strata_batches_release.restype = None
    lib.strata_get_stats.argtypes = [c_void_p, POINTER(c_void_p), error]
    lib.strata_free.argtypes = [c_void_p]
    lib.strata_free.restype = None
    lib.strata_version.restype = c_char_p
    return lib


LIB = None


class StrataError(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def call(function, *arguments):
    """Raises what the call answers."""
    error = c_void_p()
    status = function(*arguments, byref(error))
    if status != OK:
        message = ctypes.string_at(error.value).decode()
        LIB.strata_free(error)
        raise StrataError(status, message)
    assert error.value is None


class Store:
    def __init__(self, data_dir):
        config = Config()
        LIB.strata_config_init(byref(config), ctypes.sizeof(config))
        config.data_dir = data_dir.encode()
        self.handle = c_void_p()
        call(LIB.strata_open, byref(config), byref(self.handle))

    def close(self):
        handle, self.handle = self.handle, None
        call(LIB.strata_close, handle)

    def append(self, topic, data):
        ack = AppendResult()
        call(LIB.strata_append, self.handle, topic, 0, data, len(data), None,
             byref(ack))
        return ack.base_offset

    def read(self, topic, start):
        batches = c_void_p()
        call(LIB.strata_read, self.handle, topic, 0, start, None,
             byref(batches))
        return batches


def contents(batches):
    found = []
    for i in range(LIB.strata_batches_count(batches)):
        batch = Batch()
        call(LIB.strata_batches_get, batches, i, byref(batch))
        found.append((batch.base_offset,
                      ctypes.string_at(batch.bytes, batch.length)))
    return found


class CApiTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="strata-python-")
        self.addCleanup(directory.cleanup)
        self.path = directory.name + "/store"

    def assertFails(self, status, text, function, *arguments):
        with self.assertRaises(StrataError) as raised:
            function(*arguments)
        self.assertEqual(raised.exception.status, status)
        self.assertIn(text, str(raised.exception))

    def test_what_is_appended_is_read_after_reopen(self):
        store = Store(self.path)
        self.assertEqual(store.append(b"t", b"one"), 0)
        self.assertEqual(store.append(b"t", b"\0two\xff"), 1)
        store.close()
        store = Store(self.path)
        batches = store.read(b"t", 0)
        self.assertEqual(contents(batches), [(0, b"one"), (1, b"\0two\xff")])
        LIB.strata_batches_release(batches)
        call(LIB.strata_trim, store.handle, b"t", 0, 1)
        batches = store.read(b"t", 1)
        self.assertEqual(contents(batches), [(1, b"\0two\xff")])
        LIB.strata_batches_release(batches)
        store.close()

    def test_batches_stay_valid_after_close(self):
        store = Store(self.path)
        store.append(b"t", b"held")
        batches = store.read(b"t", 0)
        store.close()
        self.assertEqual(contents(batches), [(0, b"held")])
        LIB.strata_batches_release(batches)

    def test_second_open_is_refused(self):
        store = Store(self.path)
        self.assertFails(CONFLICT, "pid", Store, self.path)
        store.close()
        Store(self.path).close()

    def test_errors_have_code_and_message(self):
        store = Store(self.path)
        self.assertFails(NOT_FOUND, "'absent'", store.read, b"absent", 0)
        self.assertFails(INVALID_ARGUMENT, "0 bytes", store.append, b"t", b"")
        self.assertFails(INVALID_ARGUMENT, "topic is NULL", store.read, None, 0)
        store.close()

    def test_stats(self):
        store = Store(self.path)
        store.append(b"t", b"12345")
        text = c_void_p()
        call(LIB.strata_get_stats, store.handle, byref(text))
        figures = ctypes.string_at(text.value).decode().splitlines()
        LIB.strata_free(text)
        self.assertIn("strata_appended_bytes_total 5", figures)
        store.close()

    def test_version(self):
        self.assertRegex(LIB.strata_version().decode(), r"^\d+\.\d+\.\d+$")


if __name__ == "__main__":
    LIB = load(sys.argv.pop(1))
    unittest.main()
