"""What the API takes and gives, for validation and for its schema."""

from __future__ import annotations

from rest_framework import serializers


class CommandSerializer(serializers.Serializer):
    """One edit. Which values a type needs, reading decides and says."""

    vessel = serializers.CharField(max_length=8)
    version = serializers.IntegerField(min_value=0)
    command = serializers.DictField()


class FormSerializer(serializers.Serializer):
    """The reader's form; values are checked by reading."""

    image_quality = serializers.IntegerField(min_value=1, max_value=5, allow_null=True, required=False)
    remarks = serializers.CharField(max_length=4000, allow_blank=True, required=False, default="")


class RevisionSerializer(serializers.Serializer):
    """Save a revision."""

    form = FormSerializer(required=False)


class SignSerializer(serializers.Serializer):
    """Submit and sign."""

    password = serializers.CharField(trim_whitespace=False, max_length=4096)
    form = FormSerializer(required=False)


class DecisionSerializer(serializers.Serializer):
    """Choose A or B."""

    choose = serializers.ChoiceField(choices=("A", "B"))
    reason = serializers.CharField(max_length=4000)
    password = serializers.CharField(trim_whitespace=False, max_length=4096)


class WorkItemSerializer(serializers.Serializer):
    """One case of the person's own list."""

    n = serializers.IntegerField()
    purpose = serializers.CharField()
    state = serializers.CharField()
    due_on = serializers.DateField(allow_null=True)
    url = serializers.CharField()


class SavedSerializer(serializers.Serializer):
    """A saved revision."""

    revision = serializers.IntegerField()
    saved_at = serializers.DateTimeField()


class SignedSerializer(serializers.Serializer):
    """A signature."""

    signed_at = serializers.DateTimeField()
    printed_name = serializers.CharField()
    content_sha256 = serializers.CharField()
    next_url = serializers.CharField(allow_null=True)


class StoredCommandSerializer(serializers.Serializer):
    """The vessel's state after an edit."""

    state = serializers.DictField()
    version = serializers.IntegerField()
