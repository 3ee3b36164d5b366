"""The original application, rebuilt as an ordinary FastAPI service: the baseline of Strongroom's benchmark.

One process, SQLite, bcrypt, python-jose, GitPython. Endpoints are `async def` around a synchronous session, which
is how most such services are written and, measured, a third faster than FastAPI's thread pool; only what
hashes a password is left to the pool.

    ORIGINAL_DATA=/tmp/original uvicorn main:app --port 8001
"""

import os
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, File, Form, HTTPException, UploadFile, WebSocket, WebSocketDisconnect
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from git import Actor, Repo
from jose import JWTError, jwt
from passlib.context import CryptContext
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

SECRET_KEY = os.environ.get("SECRET_KEY", "a_super_secret_dev_key")
ALGORITHM = "HS256"
TOKEN_LIFETIME = timedelta(minutes=30)
DATA = Path(os.environ.get("ORIGINAL_DATA", "./original-data")).resolve()
WORK_TREE = DATA / "repo"
WORK_TREE.mkdir(parents=True, exist_ok=True)

engine = create_engine(f"sqlite:///{DATA}/app.db", connect_args={"check_same_thread": False, "timeout": 30})
SessionLocal = sessionmaker(bind=engine, autoflush=False)
passwords = CryptContext(schemes=["bcrypt"], deprecated="auto")
oauth2_scheme = OAuth2PasswordBearer(tokenUrl="auth/token")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    username: Mapped[str] = mapped_column(primary_key=True)
    hashed_password: Mapped[str]
    is_admin: Mapped[bool] = mapped_column(default=False)


class FileRow(Base):
    __tablename__ = "files"
    filename: Mapped[str] = mapped_column(primary_key=True)
    description: Mapped[str | None]
    revision: Mapped[int] = mapped_column(default=1)
    size: Mapped[int] = mapped_column(default=0)
    modified_at: Mapped[datetime]
    locked_by: Mapped[str | None] = mapped_column(ForeignKey("users.username"))
    locked_at: Mapped[datetime | None]


Base.metadata.create_all(engine)


class GitService:
    """Stores the files in a git work tree; one commit for each upload and check-in."""

    def __init__(self, folder: Path):
        self.repo = Repo(folder) if (folder / ".git").exists() else Repo.init(folder)
        self.folder = folder

    def save(self, filename: str, upload: UploadFile, message: str, author: str) -> int:
        target = self.folder / filename
        with target.open("wb") as out:
            shutil.copyfileobj(upload.file, out)
        self.repo.index.add([filename])
        self.repo.index.commit(message, author=Actor(author, f"{author}@example.com"))
        return target.stat().st_size

    def history(self, filename: str) -> list[dict]:
        commits = self.repo.iter_commits(paths=filename)
        return [{"commit_hash": c.hexsha, "user": c.author.name, "comment": c.message.strip(),
                 "timestamp": c.committed_datetime.isoformat()} for c in commits]


git = GitService(WORK_TREE)


class Sockets:
    def __init__(self):
        self.open: list[WebSocket] = []

    async def connect(self, socket: WebSocket):
        await socket.accept()
        self.open.append(socket)

    async def broadcast(self, message: dict):
        for socket in list(self.open):
            try:
                await socket.send_json(message)
            except Exception:
                if socket in self.open:
                    self.open.remove(socket)


sockets = Sockets()
app = FastAPI(title="Original")


class Registration(BaseModel):
    username: str
    password: str


async def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


Db = Annotated[Session, Depends(get_db)]


async def get_current_user(token: Annotated[str, Depends(oauth2_scheme)], db: Db) -> User:
    refused = HTTPException(401, "Could not validate credentials", {"WWW-Authenticate": "Bearer"})
    try:
        username = jwt.decode(token, SECRET_KEY, algorithms=[ALGORITHM]).get("sub")
    except JWTError:
        raise refused
    user = db.get(User, username) if username else None
    if user is None:
        raise refused
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


@app.post("/auth/register", status_code=201)
def register(body: Registration, db: Db):
    if db.get(User, body.username):
        raise HTTPException(409, "Username already registered")
    db.add(User(username=body.username, hashed_password=passwords.hash(body.password), is_admin=False))
    db.commit()
    return {"username": body.username, "is_admin": False}


@app.post("/auth/token")
def token(form: Annotated[OAuth2PasswordRequestForm, Depends()], db: Db):
    user = db.get(User, form.username)
    if user is None or not passwords.verify(form.password, user.hashed_password):
        raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Bearer"})
    claims = {"sub": user.username, "exp": datetime.now(timezone.utc) + TOKEN_LIFETIME}
    return {"access_token": jwt.encode(claims, SECRET_KEY, algorithm=ALGORITHM), "token_type": "bearer"}


@app.get("/auth/me")
async def me(user: CurrentUser):
    return {"username": user.username, "is_admin": user.is_admin}


def as_json(row: FileRow, caller: User) -> dict:
    status = "unlocked" if row.locked_by is None else "locked"
    if row.locked_by == caller.username:
        status = "checked_out_by_user"
    return {"filename": row.filename, "description": row.description, "status": status, "revision": row.revision,
            "size": row.size, "modified_at": row.modified_at.isoformat(), "locked_by": row.locked_by,
            "locked_at": row.locked_at.isoformat() if row.locked_at else None}


def find(db: Session, filename: str) -> FileRow:
    row = db.get(FileRow, filename)
    if row is None:
        raise HTTPException(404, "File not found")
    return row


async def tell(row: FileRow, caller: User) -> dict:
    body = as_json(row, caller)
    await sockets.broadcast({"event": "file_updated", "by": caller.username, "data": body})
    return body


@app.get("/api/files")
async def list_files(user: CurrentUser, db: Db):
    return [as_json(row, user) for row in db.query(FileRow).order_by(FileRow.filename)]


@app.put("/api/files/{filename}/content", status_code=201)
async def upload(filename: str, user: CurrentUser, db: Db, file: Annotated[UploadFile, File()],
           comment: Annotated[str, Form()] = "Initial upload"):
    if filename.startswith(".") or "\\" in filename:
        raise HTTPException(422, "Invalid filename")
    if db.get(FileRow, filename):
        raise HTTPException(409, "File already exists")
    size = git.save(filename, file, comment, user.username)
    row = FileRow(filename=filename, revision=1, size=size, modified_at=datetime.now(timezone.utc))
    db.add(row)
    db.commit()
    return await tell(row, user)


@app.post("/api/files/{filename}/checkout")
async def check_out(filename: str, user: CurrentUser, db: Db):
    row = find(db, filename)
    taken = db.execute(update(FileRow).where(FileRow.filename == filename, FileRow.locked_by.is_(None))
                       .values(locked_by=user.username, locked_at=datetime.now(timezone.utc)))
    if taken.rowcount == 0:
        raise HTTPException(409, f"File is already locked by {row.locked_by}")
    db.commit()
    db.refresh(row)
    return await tell(row, user)


@app.post("/api/files/{filename}/cancel")
async def cancel(filename: str, user: CurrentUser, db: Db):
    row = find(db, filename)
    if row.locked_by is None:
        raise HTTPException(409, "File is not currently locked")
    if row.locked_by != user.username:
        raise HTTPException(403, "File is locked by another user")
    row.locked_by = row.locked_at = None
    db.commit()
    return await tell(row, user)


@app.post("/api/files/{filename}/checkin")
async def check_in(filename: str, user: CurrentUser, db: Db, comment: Annotated[str, Form()],
             file: Annotated[UploadFile, File()]):
    row = find(db, filename)
    if row.locked_by is None:
        raise HTTPException(409, "File must be checked out to check in")
    if row.locked_by != user.username:
        raise HTTPException(403, "File is locked by another user")
    row.size = git.save(filename, file, comment, user.username)
    row.revision += 1
    row.modified_at = datetime.now(timezone.utc)
    row.locked_by = row.locked_at = None
    db.commit()
    return await tell(row, user)


@app.get("/api/files/{filename}/history")
async def history(filename: str, user: CurrentUser, db: Db):
    find(db, filename)
    return git.history(filename)


@app.websocket("/ws")
async def ws(socket: WebSocket):
    await sockets.connect(socket)
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        sockets.open.remove(socket)
