-- What schema version 8 has beside the tables of version 5.

CREATE TABLE headline_week (
    week DATE NOT NULL,
    form INTEGER NOT NULL,
    noted BLOB NOT NULL,
    PRIMARY KEY (week)
);
