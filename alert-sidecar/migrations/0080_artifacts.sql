-- The key of the artifacts of a run, and of the run that an incident began with.
ALTER TABLE observation ADD COLUMN artifact TEXT;
ALTER TABLE incident ADD COLUMN artifact TEXT;
