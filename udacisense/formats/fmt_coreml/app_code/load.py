def load(path):
    import tempfile
    import zipfile

    import coremltools

    folder = tempfile.mkdtemp()
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    package = next(Path(folder).glob("*.mlpackage"))
    model = coremltools.models.MLModel(str(package), compute_units=coremltools.ComputeUnit.CPU_ONLY)
    return lambda image: model.predict({"image": image})["logits"][0]
