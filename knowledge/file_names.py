"""Names of files and folders, and what is known by them."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EXTENSIONS = {
    "python": "py pyi pyw pyx pxd py-tpl bzl star",
    "typescript": "ts mts cts",
    "tsx": "tsx",
    "javascript": "js jsx mjs cjs es6",
    "go": "go",
    "java": "java",
    "rust": "rs",
    "c": "c h",
    "cpp": "cpp cc cxx c++ hpp hh hxx h++ ipp inl tpp cu cuh ino",
    "csharp": "cs csx",
    "ruby": "rb rake gemspec ru podspec",
    "php": "php php5 phtml phpt",
    "sql": "sql psql pgsql ddl",
    "shell": "sh bash zsh ksh bats",
    "markdown": "md markdown mdx mkd mdown",
    "rst": "rst rest",
    "csv": "csv tsv",
    "yaml": "yaml yml",
    "json": "json jsonc json5 geojson webmanifest avsc",
    "toml": "toml",
    "ini": "ini cfg conf properties editorconfig",
    "html": "html htm xhtml vue svelte astro jinja jinja2 j2 njk hbs mustache ejs erb haml twig",
    "css": "css scss sass less styl",
    "xml": "xml xsd xsl xslt svg plist csproj fsproj vbproj props targets resx wsdl rss atom",
    "text": "txt text adoc asciidoc org tex pod log",
    "notebook": "ipynb",
    "kotlin": "kt kts",
    "swift": "swift",
    "scala": "scala sc sbt",
    "objective-c": "m mm",
    "dart": "dart",
    "lua": "lua",
    "perl": "pl pm t",
    "r": "r rmd",
    "julia": "jl",
    "haskell": "hs lhs",
    "elixir": "ex exs",
    "erlang": "erl hrl",
    "clojure": "clj cljs cljc edn",
    "fsharp": "fs fsx fsi",
    "visual-basic": "vb vbs bas",
    "ocaml": "ml mli",
    "zig": "zig",
    "nim": "nim",
    "groovy": "groovy gradle",
    "powershell": "ps1 psm1 psd1",
    "batch": "bat cmd",
    "fish": "fish",
    "assembly": "asm s",
    "fortran": "f f90 f95 f03 for",
    "pascal": "pas pp dpr",
    "solidity": "sol",
    "terraform": "tf tfvars hcl",
    "nix": "nix",
    "protobuf": "proto",
    "graphql": "graphql gql",
    "thrift": "thrift",
    "cmake": "cmake",
    "make": "mk mak",
    "gettext": "po pot",
    "diff": "diff patch",
    "vim": "vim",
    "lisp": "lisp el scm rkt",
    "jsonl": "jsonl ndjson",
}
LANGUAGE_OF_EXTENSION = {
    extension: language
    for language, extensions in _EXTENSIONS.items()
    for extension in extensions.split()
}
LANGUAGE_OF_NAME = {
    "dockerfile": "dockerfile",
    "containerfile": "dockerfile",
    "makefile": "make",
    "gnumakefile": "make",
    "justfile": "make",
    "rakefile": "ruby",
    "gemfile": "ruby",
    "vagrantfile": "ruby",
    "podfile": "ruby",
    "brewfile": "ruby",
    "jenkinsfile": "groovy",
    "cmakelists.txt": "cmake",
    "build": "python",
    "build.bazel": "python",
    "workspace": "python",
    "sconstruct": "python",
    "pipfile": "toml",
    "cargo.lock": "toml",
    "go.mod": "text",
    "procfile": "yaml",
    ".gitignore": "text",
    ".gitattributes": "ini",
    ".gitmodules": "ini",
    ".editorconfig": "ini",
    ".flake8": "ini",
    ".pylintrc": "ini",
    ".bashrc": "shell",
    ".profile": "shell",
    ".zshrc": "shell",
    ".prettierrc": "yaml",
    ".eslintrc": "json",
    ".babelrc": "json",
    ".clang-format": "yaml",
}

BINARY = _words(
    """
    png jpg jpeg gif bmp ico webp avif tif tiff psd ai eps heic mp3 mp4 m4a m4v mov avi mkv webm
    ogg oga ogv wav flac aac woff woff2 ttf otf eot pdf doc docx xls xlsx ppt pptx odt ods odp
    epub zip gz tgz bz2 xz lzma zst 7z rar tar jar war ear whl egg deb rpm dmg iso img apk ipa exe
    dll so dylib a o obj lib pyc pyo pyd class wasm bin dat db sqlite sqlite3 mdb mo pack idx
    parquet feather arrow npy npz pt pth onnx h5 hdf5 pkl pickle joblib safetensors gguf mmdb shp
    shx dbf sbn sbx nupkg snap keystore swf fla blend glb stl dwg graffle xcf sketch fig jks p12
    pfx der
    """
)
LOCKS = _words(
    """
    package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb poetry.lock
    pdm.lock uv.lock pipfile.lock cargo.lock gemfile.lock composer.lock go.sum go.work.sum
    mix.lock pubspec.lock packages.lock.json podfile.lock flake.lock deno.lock conan.lock
    pixi.lock gradle.lockfile package.resolved .terraform.lock.hcl
    """
)
VENDORED_FOLDERS = _words(
    """
    node_modules bower_components jspm_packages vendor vendored _vendor third_party third-party
    thirdparty 3rdparty .yarn site-packages
    """
)
GENERATED_FOLDERS = _words(
    """
    .git .hg .svn __pycache__ .venv .tox .nox .mypy_cache .ruff_cache .pytest_cache .gradle .idea
    .next .nuxt .svelte-kit .parcel-cache .turbo .cache .terraform .eggs htmlcov storybook-static
    """
)
