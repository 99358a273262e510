"""Merge patches and JSON patches do what RFC 7386 and RFC 6902 say."""

import pytest
from patches import PatchError, apply, merge

# RFC 7386, appendix A.
MERGES = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]
# RFC 6902, appendix A, and pointers of RFC 6901.
APPLIED = [
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    ({"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}], {"foo": ["bar", "qux", "baz"]}),
    ({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    ({"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["bar", "baz"]}),
    ({"baz": "qux"}, [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo"}),
    ({"foo": {"bar": 1}, "qux": {}}, [{"op": "move", "from": "/foo/bar", "path": "/qux/x"}],
     {"foo": {}, "qux": {"x": 1}}),
    ({"foo": ["all", "cows", "eat"]}, [{"op": "move", "from": "/foo/0", "path": "/foo/2"}],
     {"foo": ["cows", "eat", "all"]}),
    ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"b": 1}, "c": {"b": 1}}),
    ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["x"]}], {"foo": ["bar", ["x"]]}),
    ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    ({"a/b": 1}, [{"op": "remove", "path": "/a~1b"}], {}),
]
REFUSED = [
    {"op": "test", "path": "/a", "value": 2},
    {"op": "remove", "path": "/none"},
    {"op": "replace", "path": "/none", "value": 1},
    {"op": "add", "path": "/none/x", "value": 1},
    {"op": "add", "path": "/list/9", "value": 1},
    {"op": "add", "path": "/list/01", "value": 1},
    {"op": "nothing", "path": "/a"},
    {"path": "/a"},
    "nothing",
]


@pytest.mark.parametrize("document, patch, result", MERGES)
def test_a_merge_patch_gives_what_the_rfc_says_and_leaves_alone_what_it_was_given(document, patch, result):
    before = repr((document, patch))
    assert merge(document, patch) == result
    assert repr((document, patch)) == before


@pytest.mark.parametrize("document, operations, result", APPLIED)
def test_a_json_patch_gives_what_the_rfc_says_and_leaves_alone_what_it_was_given(document, operations, result):
    before = repr((document, operations))
    assert apply(document, operations) == result
    assert repr((document, operations)) == before


@pytest.mark.parametrize("operation", REFUSED, ids=str)
def test_a_json_patch_that_does_not_fit_is_refused_whole(operation):
    document = {"a": 1, "list": [1]}
    with pytest.raises(PatchError):
        apply(document, [{"op": "add", "path": "/b", "value": 1}, operation])
    assert document == {"a": 1, "list": [1]}
