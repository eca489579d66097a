"""Cinder's fake volumes, which are entries and hold nothing; from an image too."""

from cinder.tests import fake_driver


class PaperDriver(fake_driver.FakeLoggingVolumeDriver):
    def clone_image(self, context, volume, image_location, image_meta, image_service):
        return {}, True
