-- In what way users suffer, and for which probes the journey gets through meanwhile, one a line.
ALTER TABLE incident ADD COLUMN form TEXT NOT NULL DEFAULT 'failing';
ALTER TABLE incident ADD COLUMN elsewhere TEXT;

-- How often the journey runs, where its points say so.
ALTER TABLE observation ADD COLUMN every_ms BIGINT;
